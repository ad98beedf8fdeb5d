"""From a file to a :class:`Config`, or to all of its problems at once."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from config import profiles
from config.accounts import Household, read_accounts
from config.cursor import Cursor, hint
from config.logins import VARIABLE, Circumstances, read_login, refuse_mixed, refuse_same_user
from config.model import AccountConfig, Config, DaemonConfig, GroupConfig, LoginConfig, Registry
from config.plugins import installed
from config.problem import ConfigErrors, Findings, in_order, in_quotes
from config.rules import place_of, provenance, read_group_rules, read_rules
from config.source import read_source
from config.tables import (
    EVERY,
    DaemonTable,
    DefaultsTable,
    FileTable,
    GroupTable,
    NotifyTable,
)
from risk.explain import span
from risk.hours import EARLY_CLOSES_UNTIL
from risk.rules.flat_by import FlatBy
from risk.trading_day import TradingCalendar


def load(
    path: Path,
    *,
    environment: Mapping[str, str],
    today: date,
    registry: Registry | None = None,
    for_run: bool = False,
    profiles_folder: Path = profiles.FOLDER,
) -> Config:
    """Read, check and merge; raises ConfigErrors with every problem, and nothing else.

    To run, variables that are not set and features that are not enforced yet are errors, and the
    logins carry their real keys; otherwise they are warnings and notices, and the keys are empty.
    ``registry`` None: Seawall's own rules and those installed beside it.
    """
    findings = Findings()
    source = read_source(path)
    root = Cursor(source, findings, (), source.values)
    if registry is None:
        registry, unusable = installed()
        for problem in unusable:
            root.warn(problem, "mend or remove that package")
    root.fields(FileTable)
    daemon, calendar = _daemon(root.child("daemon"), _folder(path))
    around = Circumstances(environment, _folder(path), for_run, daemon.clock == "gateway")
    logins = _logins(root, around)
    accounts = _accounts(root, daemon, registry, profiles_folder, today)
    _check_table_of_closes(root.child("accounts"), today)
    _check_hours(root.child("accounts"), accounts, calendar, today)
    groups = tuple(_groups(root, registry))
    _notify(root.child("notify"))
    if for_run:
        findings.errors += findings.not_yet
    if findings.errors:
        raise ConfigErrors(in_order(findings.errors))
    return Config(
        path=path,
        daemon=daemon,
        calendar=calendar,
        logins=logins,
        accounts=tuple(account for account in accounts if account.name != EVERY),
        template=next((account for account in accounts if account.name == EVERY), None),
        groups=groups,
        warnings=in_order(findings.warnings),
        not_yet=in_order(findings.not_yet),
        registry=registry,
    )


def _folder(path: Path) -> Path:
    return Path(os.path.abspath(path)).parent  # noqa: PTH100 - resolve() would follow links


def _daemon(at: Cursor, folder: Path) -> tuple[DaemonConfig, TradingCalendar]:
    fields = (at.fields(DaemonTable) if at.value is not None else None) or {}
    table = DaemonTable(**fields)
    if table.state_dir.startswith("~"):
        at.child("state_dir").error("~ is not expanded: write the whole path")
    config = DaemonConfig(
        state_dir=Path(os.path.normpath(folder / table.state_dir)),
        timezone=table.timezone,
        reset_at=table.reset_at,
        mode=table.mode,
        clock=table.clock,
    )
    return config, _calendar(at, table)


def _calendar(at: Cursor, table: DaemonTable) -> TradingCalendar:
    try:
        return TradingCalendar(table.timezone, table.reset_at)
    except (KeyError, ValueError, OSError):
        place = at.child("timezone")
        place.error(f"unknown time zone{place.got}", "the exchange's is America/Chicago")
        return TradingCalendar()


def _logins(root: Cursor, around: Circumstances) -> tuple[LoginConfig, ...]:
    at = root.child("logins")
    if not at.value:
        root.error("there is no login", "add [logins.NAME]")
    refuse_same_user(at, around)
    found = [read_login(child, name, around) for name, child in at.children()]
    logins = tuple(login for login in found if login is not None)
    refuse_mixed(at, logins, around)
    return logins


def _accounts(
    root: Cursor, daemon: DaemonConfig, registry: Registry, folder: Path, today: date
) -> list[AccountConfig]:
    at, defaults = root.child("accounts"), root.child("defaults")
    if not at.value:
        root.error("there is no account to guard", "add [accounts.NAME]")
    if defaults.value is not None:
        defaults.fields(DefaultsTable)
    shared = Household(
        registry=registry,
        defaults=read_rules(
            defaults.child("rules"), registry, lambda each: f"defaults.rules {place_of(each)}"
        ),
        profiles=profiles.Profiles(registry, root.findings, today, folder),
        logins=_names(root.child("logins")),
        accounts=_names(at),
        armed=daemon.mode == "enforce",
    )
    return list(read_accounts(at, shared))


def _check_hours(
    at: Cursor, accounts: Iterable[AccountConfig], calendar: TradingCalendar, today: date
) -> None:
    """A time from the reset on is that of the evening before: the whole day would be locked."""
    wednesday = today + timedelta(days=(2 - today.weekday()) % 7)  # Monday's day holds a weekend
    day = calendar.day_of(datetime.combine(wednesday, time(12), UTC))
    least = calendar.starts(day) + timedelta(hours=1)
    for account in accounts:
        for rule in account.rules:
            if isinstance(rule, FlatBy) and rule.deadline(calendar, day) < least:
                at.child(account.name).child("rules").child(rule.name).error(
                    f"flat by {rule.time:%H:%M} less {span(rule.margin)} leaves no hour of a day that "
                    f"begins at {calendar.reset_at:%H:%M}: the account would always be locked",
                    "set a time before the reset",
                )


def _check_table_of_closes(at: Cursor, today: date) -> None:
    if today > EARLY_CLOSES_UNTIL:
        at.warn(
            f"the table of the exchange's early closes ends on {EARLY_CLOSES_UNTIL}: since then a day "
            "that closes early is taken for a whole one, and flat_by and session act too late",
            "watch the holidays yourself, or install a newer Seawall",
        )


def _names(at: Cursor) -> tuple[str, ...]:
    return tuple(at.value) if isinstance(at.value, dict) else ()


def _groups(root: Cursor, registry: Registry) -> Iterator[GroupConfig]:
    known = _names(root.child("accounts"))
    for name, at in root.child("groups").children():
        table = at.read(GroupTable)
        rules = tuple(read_group_rules(at.child("rules"), registry))
        _check_members(at.child("accounts"), known)
        if not rules:
            at.warn("has no rules, so nothing is guarded by it", "add [groups.NAME.rules]")
        if table is not None:
            yield GroupConfig(
                name=name,
                accounts=table.accounts,
                rules=tuple(rule for rule, _ in rules),
                provenance=tuple(each for rule in rules for each in provenance(*rule)),
            )


def _check_members(at: Cursor, known: Collection[str]) -> None:
    members = at.value if isinstance(at.value, list) else []
    for index, member in enumerate(members):
        if not isinstance(member, str):
            continue
        if member in members[:index]:
            at.child(index).error(f"account {in_quotes(member)} is named twice")
        elif member not in known:
            at.child(index).warn(
                f"no account {in_quotes(member)} is configured: it counts only if it is adopted",
                hint(member, known),
            )


def _notify(at: Cursor) -> None:
    if at.value is None:
        return
    at.fields(NotifyTable)
    for key, channel in at.children():
        if key == "discord":
            channel.later(f"messages to {key} are not yet sent")
            variable = channel.child("url_env")
            if isinstance(variable.value, str) and not VARIABLE.fullmatch(variable.value):
                variable.error("must be the name of an environment variable, not the address")
