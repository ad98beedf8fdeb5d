"""The configuration: ``load`` turns ``seawall.toml`` into a checked, frozen :class:`Config`."""

from config.load import load
from config.model import AccountConfig, Config, DaemonConfig, LoginConfig, Provenance
from config.problem import ConfigErrors, Problem
from config.rules import Registry

__all__ = [
    "AccountConfig",
    "Config",
    "ConfigErrors",
    "DaemonConfig",
    "LoginConfig",
    "Problem",
    "Provenance",
    "Registry",
    "load",
]
