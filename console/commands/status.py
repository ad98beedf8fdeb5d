"""``seawall status``: accounts, connections and journal of the running daemon."""

from collections.abc import Iterator, Mapping
from typing import Any

from console.options import DEFAULT_CONFIG, ConfigFile, Json
from console.output import Part, Said, Table, Tone, show
from console.spoken import dollars, exchange_time, short_contract

Facts = Mapping[str, Any]


def status(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Show what the running daemon knows: accounts, locks, connections, journal."""
    from console.ask import answer_or_exit

    answer = answer_or_exit(config, "status")
    show(answer, *parts(answer), as_json=as_json)


def parts(answer: Facts) -> list[Part]:
    """A status answer for people."""
    return [
        _day(answer["clock"]),
        "",
        _accounts(answer["accounts"]),
        *_notes(answer["accounts"]),
        *_groups(answer["groups"]),
        "",
        _logins(answer["logins"]),
        "",
        _journal(answer["journal"]),
        *_restarts(answer["restarts"]),
    ]


def _day(clock: Facts) -> Said:
    resets = exchange_time(clock.get("resets_at"))
    return Said(f"Trading day {clock.get('trading_day', '?')}, until {resets}", Tone.TITLE)


def _accounts(accounts: list[Facts]) -> Part:
    if not accounts:
        return Said("NO ACCOUNT IS GUARDED", Tone.BAD)
    return Table(
        (
            "account",
            "guard",
            "net today",
            "of it open",
            "to the floor",
            "positions",
            "orders",
        ),
        tuple(_account(each) for each in accounts),
        numbers=frozenset({2, 3, 4, 6}),
    )


def _account(account: Facts) -> tuple[Said | str, ...]:
    positions = account.get("positions")
    return (
        str(account["account"]),
        _guard(account),
        _money(account.get("net")),
        _money(account.get("open")),
        _to_the_floor(account.get("to_the_floor")),
        "?" if positions is None else ", ".join(map(_position, positions)) or "flat",
        str(account.get("working_orders", "?")),
    )


def _guard(account: Facts) -> Said:
    if account["state"] != "running":
        return Said(f"UNGUARDED ({account['state']})", Tone.BAD)
    match account.get("phase"):
        case "live" if account["enforcing"]:
            return Said("enforcing", Tone.WARN)
        case "live" if account.get("locks"):
            return Said("LOCKED", Tone.BAD)
        case "live" if account["armed"] and account.get("pauses"):
            return Said("may only reduce", Tone.WARN)
        case "live" if account["armed"]:
            return Said("guarded", Tone.GOOD)
        case "live":
            return Said("watched only", Tone.WARN)
        case "reconciling":
            return Said("reading the broker", Tone.WARN)
        case _:
            return Said("UNGUARDED (not connected)", Tone.BAD)


def _money(amount: str | None) -> Said:
    text = dollars(amount)
    return Said(text, Tone.BAD if text.startswith("-") else Tone.PLAIN)


def _to_the_floor(amount: str | None) -> Said:
    """Dollars that are left until the firm ends the account; ``-`` where no rule knows its floor."""
    return Said("-") if amount is None else _money(amount)


def _position(position: Facts) -> str:
    contract = short_contract(position["contract"])
    return f"{position['net']:+d} {contract} at {position['average_price']}"


def _notes(accounts: list[Facts]) -> Iterator[Said]:
    """Why an account is locked, busy or in trouble."""
    for account in accounts:
        name = account["account"]
        for lock in account.get("locks", []):
            until = _end(lock["until"])
            why = f"{lock['rule']}: {lock['reason']}"
            yield Said(f"{name} is locked until {until} by {why}", Tone.BAD)
        for pause in account.get("pauses", []):
            why = f"{pause['rule']}: {pause['reason']}"
            yield Said(f"{name} may only reduce until {_end(pause['until'])} by {why}", Tone.WARN)
        if account.get("left"):
            parts = ", ".join(f"{rule} {amount}" for rule, amount in account["left"].items())
            yield Said(f"{name} has left: {parts}", Tone.QUIET)
        for intent in account["enforcing"]:
            yield Said(f"{name}: {intent['rule']} is being enforced: {intent['action']}", Tone.WARN)
        if account["problem"] and account["state"] != "running":
            yield Said(f"{name}: {account['problem']}", Tone.BAD)


def _groups(groups: list[Facts]) -> Iterator[Said]:
    """Each group's result of the day, and of whom it has not heard."""
    for group in groups:
        name = f"group {group.get('group', '?')}"
        if group["state"] != "running":
            yield Said(f"{name} is UNGUARDED ({group['state']})", Tone.BAD)
            continue
        members: Mapping[str, str | None] = group["members"]
        parts = ", ".join(
            f"{account} {'not heard of' if net is None else dollars(net)}"
            for account, net in members.items()
        )
        tone = Tone.BAD if None in members.values() else Tone.QUIET
        yield Said(f"{name} stands at {dollars(group['net'])} today: {parts}", tone)


def _end(until: str) -> str:
    """When a lock ends; one without an end waits for the operator."""
    return "its seed is renewed" if until.startswith("9999") else exchange_time(until)


def _logins(logins: list[Facts]) -> Part:
    if not logins:
        return Said("NO LOGIN IS CONFIGURED", Tone.BAD)
    return Table(
        ("login", "account feed", "price feed", "requests/min", "problem"),
        tuple(
            (
                str(login["login"]),
                _feed(login, "user_hub"),
                _feed(login, "market_hub"),
                str(login.get("requests_last_minute") or 0),
                Said(
                    str(login.get("problem") or "-"),
                    Tone.BAD if login.get("problem") else Tone.PLAIN,
                ),
            )
            for login in logins
        ),
        numbers=frozenset({3}),
    )


def _feed(login: Facts, hub: str) -> Said:
    up = login["state"] == "running" and login.get(hub) == "up"
    return Said("up", Tone.GOOD) if up else Said("DOWN", Tone.BAD)


def _journal(journal: Facts) -> Said:
    if journal.get("reason") or journal["state"] != "running":
        why = journal.get("reason") or f"its actor is {journal['state']}"
        return Said(f"Journal in trouble: {why}. Rules are enforced all the same", Tone.BAD)
    return Said(f"Journal fine, {journal['durable']} records on disk", Tone.QUIET)


def _restarts(restarts: int) -> Iterator[Said]:
    if restarts:
        times = "once" if restarts == 1 else f"{restarts} times"
        yield Said(f"Parts of it were restarted {times}; see `seawall tree`", Tone.WARN)
