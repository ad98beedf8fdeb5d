"""``[accounts.NAME]``: which rules guard which account, and ``"*"`` for all others."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import attrs
from attrs import frozen

from config.cursor import Cursor, hint
from config.model import AccountConfig, Registry
from config.problem import quoted_key
from config.profiles import Profile, Profiles
from config.rules import Stated, differences, merge, place_of, provenance, read_rules
from config.tables import EVERY, AccountTable
from risk.past import Seed


@frozen
class Household:
    """What all accounts share."""

    registry: Registry
    defaults: Mapping[str, Stated]
    profiles: Profiles
    logins: Collection[str]
    accounts: Collection[str]
    armed: bool
    """False in shadow mode, whatever an account's role."""


def read_accounts(at: Cursor, shared: Household) -> Iterator[AccountConfig]:
    """Every account that can be read, the template among them; what is wrong is noted."""
    seen: dict[str, str] = {}
    for name, child in at.children():
        same = name.strip().casefold()
        if not same or not name.isprintable():
            child.error("the name of an account must not be empty")
        elif same in seen:
            child.error(
                f"is the account {quoted_key(seen[same])} again: the broker's names differ in more"
                " than capitals and spaces"
            )
        seen.setdefault(same, name)
        account = _account(child, name, shared)
        if account is not None:
            yield account


def _account(at: Cursor, name: str, shared: Household) -> AccountConfig | None:
    fields = at.fields(AccountTable)
    if fields is None:
        return None
    table = AccountTable(**fields)
    login = _login(at, name, fields, shared)
    _note_later(at, table)
    _check_leader(at, name, shared)
    profile = shared.profiles.at(at.child("profile")) if table.profile else None
    own = read_rules(at.child("rules"), shared.registry, lambda each: f"account {place_of(each)}")
    if profile is not None:
        _warn_of_replaced(at, profile, shared.defaults, own)
    effective = merge(shared.registry, shared.defaults, profile.rules if profile else {}, own)
    return AccountConfig(
        name=name,
        login=login,
        role=table.role,
        profile=table.profile,
        rules=tuple(stated.rule for stated in effective.values()),
        provenance=tuple(
            each for it in effective.values() for each in provenance(it.rule, it.origins)
        ),
        armed=shared.armed and table.role == "enforced",
        seed=_seed(table.seed, profile),
        leader=table.leader,
        on_partial_refused=table.on_partial_refused,
        guard_lost=table.guard_lost,
    )


def _seed(own: Seed | None, profile: Profile | None) -> Seed | None:
    """What the operator knows; how an account of its kind begins is known from the profile."""
    if profile is None or (own is not None and own.starting_balance is not None):
        return own
    return attrs.evolve(own or Seed(), starting_balance=profile.starting_balance)


def _login(at: Cursor, name: str, fields: Mapping[str, Any], shared: Household) -> str:
    """The name of the account's login; the template may leave it out for all of them."""
    login = str(fields.get("login", EVERY))
    if (
        at.lacks("login", among=[each.name for each in attrs.fields(AccountTable)])
        and name != EVERY
    ):
        at.error("needs login", hint("", shared.logins))
    elif "login" in fields and login not in shared.logins and (login, name) != (EVERY, EVERY):
        place = at.child("login")
        place.error(f"unknown login{place.got}", hint(login, shared.logins))
    return login


def _warn_of_replaced(
    at: Cursor, profile: Profile, defaults: Mapping[str, Stated], own: Collection[str]
) -> None:
    """A profile goes before the trader's own defaults, which may have been the stricter ones."""
    for name, stated in profile.rules.items():
        before = defaults.get(name)
        if before is None or name in own or stated.rule == before.rule:
            continue
        at.child("profile").warn(
            f"profile {profile.name} replaces defaults.rules.{name} of {before.place}"
            f" ({differences(stated.rule, before.rule)})",
            f"what [accounts.{quoted_key(str(at.path[-1]))}.rules] states goes before both",
        )


def _check_leader(at: Cursor, name: str, shared: Household) -> None:
    place = at.child("leader")
    if not isinstance(place.value, str):
        return
    others = [each for each in shared.accounts if each not in (name, EVERY)]
    if place.value not in others:
        place.error(f"must be another configured account{place.got}", hint(place.value, others))


def _note_later(at: Cursor, table: AccountTable) -> None:
    """Keys of an account that are understood but do nothing yet."""
    if table.on_partial_refused == "close":
        at.child("on_partial_refused").later('"close" is not yet enforced, only "alert"')
    if table.guard_lost == "flatten":
        at.child("guard_lost").later('"flatten" is not yet enforced, only "alert"')
