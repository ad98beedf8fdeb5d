"""The configuration: ``load`` turns ``seawall.toml`` into a checked, frozen :class:`Config`."""

from config.load import load
from config.model import AccountConfig, Config, DaemonConfig, LoginConfig, Provenance, Registry
from config.problem import ConfigErrors, Problem

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
