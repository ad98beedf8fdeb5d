"""``seawall status``: accounts, connections and journal of the running daemon."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from console.options import DEFAULT_CONFIG, ConfigFile, Json
from console.output import Part, Said, Table, Tone, show


def status(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Show what the running daemon knows: accounts, locks, connections, journal."""
    from console.ask import answer_or_exit

    answer = answer_or_exit(config, "status")
    show(answer, *_parts(answer), as_json=as_json)


def _parts(answer: Mapping[str, Any]) -> list[Part]:
    clock = answer["clock"]
    day = Said(f"Trading day {clock.get('trading_day', 'unknown')}", Tone.TITLE)
    return [day, _accounts(answer["accounts"]), _logins(answer["logins"]), _journal(answer)]


def _accounts(accounts: list[Mapping[str, Any]]) -> Part:
    if not accounts:
        return Said("no account is guarded", Tone.BAD)
    return Table(
        ("account", "state", "net today", "open", "positions", "orders", "locks"),
        tuple(_account(each) for each in accounts),
        numbers=frozenset({2, 3, 5}),
    )


def _account(account: Mapping[str, Any]) -> tuple[Said | str, ...]:
    return (
        str(account.get("account", "?")),
        _phase(account),
        _dollars(account.get("net")),
        _dollars(account.get("open")),
        ", ".join(_position(each) for each in account.get("positions", ())) or "flat",
        str(account.get("working_orders", "?")),
        Said("; ".join(_lock(each) for each in account.get("locks", ())), Tone.BAD),
    )


def _phase(account: Mapping[str, Any]) -> Said:
    if account["state"] != "running":
        return Said(f"UNGUARDED ({account['state']})", Tone.BAD)
    phase = str(account.get("phase", "?"))
    return Said(phase, Tone.GOOD if phase == "live" else Tone.WARN)


def _dollars(amount: Any) -> Said:
    if amount is None:
        return Said("?", Tone.WARN)
    value = Decimal(amount)
    return Said(f"{value:,.2f}", Tone.BAD if value < 0 else Tone.PLAIN)


def _position(position: Mapping[str, Any]) -> str:
    return f"{position['net']:+d} {position['contract']} @ {position['average_price']}"


def _lock(lock: Mapping[str, Any]) -> str:
    return f"{lock['rule']} until {lock['until']}"


def _logins(logins: list[Mapping[str, Any]]) -> Part:
    if not logins:
        return Said("no login is connected", Tone.BAD)
    return Table(
        ("login", "user hub", "market hub", "requests/min", "problem"),
        tuple(
            (
                str(login.get("login", "?")),
                _hub(login, "user_hub"),
                _hub(login, "market_hub"),
                str(login.get("requests_last_minute", "?")),
                Said(str(login.get("problem") or ""), Tone.BAD),
            )
            for login in logins
        ),
        numbers=frozenset({3}),
    )


def _hub(login: Mapping[str, Any], hub: str) -> Said:
    state = str(login.get(hub, "down"))
    return Said(state, Tone.GOOD if state == "up" else Tone.BAD)


def _journal(answer: Mapping[str, Any]) -> Part:
    journal = answer["journal"]
    condition = str(journal.get("condition", "down"))
    line = f"journal {condition}, {journal.get('durable', '?')} records"
    if reason := journal.get("reason"):
        line += f": {reason}"
    line += f"; {answer['restarts']} restarts of actors since the start"
    return Said(line, Tone.QUIET if not journal.get("reason") else Tone.BAD)
