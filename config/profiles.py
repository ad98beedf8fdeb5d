"""Profiles: what a firm asks of a kind of account, as dated data files beside this module."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from attrs import frozen

from config.cursor import Cursor, hint
from config.model import Registry
from config.problem import Findings
from config.rules import Stated, read_rules
from config.source import read_source
from config.tables import ProfileTable

FOLDER = Path(__file__).parent / "profiles"
"""The profiles that come with Seawall."""
TRUSTED_FOR = timedelta(days=60)
"""Firms change their rules; older data must be compared again."""


@frozen
class Profile:
    """One data file."""

    name: str
    source: str
    verified_on: date
    certainty: str
    starting_balance: Decimal
    rules: Mapping[str, Stated]


def names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Every profile there is."""
    return tuple(sorted(file.stem for file in folder.glob("*.toml")))


def read_profile(name: str, registry: Registry, findings: Findings, folder: Path) -> Profile | None:
    """One of ``names``; None after an error in its file was noted."""
    source = read_source(folder / f"{name}.toml")
    root = Cursor(source, findings, (), source.values)
    table = root.read(ProfileTable)
    rules = read_rules(root.child("rules"), registry, lambda _: f"profile {name}")
    if table is None:
        return None
    return Profile(
        name, table.source, table.verified_on, table.certainty, table.starting_balance, rules
    )


class Profiles:
    """Reads each profile once, whoever asks for it."""

    def __init__(self, registry: Registry, findings: Findings, today: date, folder: Path) -> None:
        self._registry = registry
        self._findings = findings
        self._today = today
        self._folder = folder
        self._known = names(folder)
        self._read: dict[str, Profile | None] = {}

    def at(self, place: Cursor) -> Profile | None:
        """The profile a key names; an unknown one is an error there, an old one a warning."""
        name = str(place.value)
        if name not in self._known:
            place.error(f"unknown profile{place.got}", hint(name, self._known))
            return None
        if name not in self._read:
            self._read[name] = read_profile(name, self._registry, self._findings, self._folder)
        profile = self._read[name]
        if profile is not None and self._today - profile.verified_on > TRUSTED_FOR:
            days = (self._today - profile.verified_on).days
            place.warn(
                f"profile {name} was last compared with the firm's rules {days} days ago,"
                f" on {profile.verified_on}",
                f"compare it with {profile.source}",
            )
        if profile is not None and profile.certainty != "official":
            place.warn(
                f"profile {name} rests on {profile.certainty}, not on the firm's own word alone",
                f"compare it with what your firm tells you; its source: {profile.source}",
            )
        return profile
