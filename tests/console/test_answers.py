"""What the running daemon answers about itself, and how it is shown."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from actors.console import picture, summary
from console.commands.status import parts as status_parts
from console.commands.tree import branch
from console.output import plain, show
from supervision import Node


def actor(name: str, **status: object) -> Node:
    return Node(name, name, "actor", "running", 1, 0, status=status)


def supervisor(name: str, *children: Node) -> Node:
    return Node(name, name, "supervisor", "running", 1, 0, children=children)


LOCK = {"rule": "daily_loss", "until": "2026-11-18T23:00:00+00:00", "reason": "net day -604.11"}


FOR_GOOD = {
    "rule": "trailing_drawdown",
    "until": "9999-01-01T00:00:00+00:00",
    "reason": "equity 48000.00",
}


def account(name: str, *, armed: bool = True, **status: object) -> Node:
    facts = {
        "phase": "live",
        "net": "0",
        "open": "0",
        "positions": [],
        "working_orders": 0,
        "locks": [],
    }
    return supervisor(
        name,
        actor("account", **(facts | status)),
        actor("rules", rules=["daily_loss"]),
        actor("enforcement", armed=armed, open=[]),
    )


def house(*accounts: Node) -> Node:
    connection = actor(
        "connection", user_hub="up", market_hub="down", requests_last_minute=7, problem=""
    )
    return supervisor(
        "seawall",
        actor("store", condition="fine", reason="", durable=18),
        actor("session clock", trading_day="2026-11-18", resets_at="2026-11-18T23:00:00+00:00"),
        supervisor("logins", supervisor("sim", connection, supervisor("accounts", *accounts))),
    )


HELD = [{"contract": "CON.F.US.MNQ.Z26", "net": -3, "average_price": "24899.5"}]
HOUSE = house(
    account("A", net="-605.2249", locks=[LOCK, FOR_GOOD]),
    account(
        "B",
        armed=False,
        net="1250",
        open="1252.5",
        positions=HELD,
        working_orders=2,
        to_the_floor="1480.26",
        left={"daily_loss": "1750.00", "max_contracts": "2"},
    ),
    evolve(account("C"), state="parked", last_error="ValueError: no"),
    account("D", phase="waiting"),
)

STATUS = """\
Trading day 2026-11-18, until Wed 18 Nov 17:00 CT

ACCOUNT  GUARD                      NET TODAY  OF IT OPEN  TO THE FLOOR  POSITIONS              ORDERS
A        LOCKED                       -605.22        0.00             -  flat                        0
B        watched only                1,250.00    1,252.50      1,480.26  -3 MNQ Z26 at 24899.5       2
C        UNGUARDED (parked)              0.00        0.00             -  flat                        0
D        UNGUARDED (not connected)       0.00        0.00             -  flat                        0
A is locked until Wed 18 Nov 17:00 CT by daily_loss: net day -604.11
A is locked until its seed is renewed by trailing_drawdown: equity 48000.00
B has left: daily_loss 1750.00, max_contracts 2
C: ValueError: no

LOGIN  ACCOUNT FEED  PRICE FEED  REQUESTS/MIN  PROBLEM
sim    up            DOWN                   7  -

Journal fine, 18 records on disk
"""


def shown(answer: Mapping[str, Any]) -> str:
    return "".join(plain(part) + "\n" for part in status_parts(answer))


def test_status_says_who_is_guarded_and_why_not() -> None:
    """One word about the guard of each account, the reasons below, amounts to the cent."""
    assert shown(summary(HOUSE)) == STATUS


def test_status_is_json_for_programs() -> None:
    """An account that is set aside keeps its name, so that nobody overlooks it."""
    accounts = json.loads(json.dumps(summary(HOUSE)))["accounts"]
    assert [(a["account"], a["login"], a["state"], a["armed"]) for a in accounts] == [
        ("A", "sim", "running", True),
        ("B", "sim", "running", False),
        ("C", "sim", "parked", True),
        ("D", "sim", "running", True),
    ]


@pytest.mark.parametrize("part", [0, 1, 2])
def test_an_account_is_as_well_as_the_worst_of_its_parts(part: int) -> None:
    """Without its rules or its enforcement it is as unguarded as without its state."""
    healthy = account("A")
    broken = evolve(healthy.children[part], state="backoff")
    children = (*healthy.children[:part], broken, *healthy.children[part + 1 :])
    [found] = summary(house(evolve(healthy, children=children)))["accounts"]
    assert found["state"] == "backoff"


def test_a_journal_in_trouble_is_told() -> None:
    """With the assurance that rules do not depend on it."""
    store = actor("store", condition="degraded", reason="disk full", durable=3)
    said = shown(summary(evolve(HOUSE, children=(store, *HOUSE.children[1:]))))
    assert "Journal in trouble: disk full. Rules are enforced all the same" in said


TREE = """\
sim  running
  connection  running
  accounts  running
    A  running
      account  running  live
      rules  running  daily_loss  restarted once  last error: KeyError: 'x'
      enforcement  running
    C  PARKED: unguarded  last error: ValueError: no
      account  running  live
      rules  running  daily_loss
      enforcement  running  watching only, sends nothing"""


def test_the_tree_shows_what_fell() -> None:
    """Indented in a pipe; a restart, an error and what is set aside stand out in words."""
    first = account("A")
    fallen = evolve(first.children[1], restarts=1, last_error="KeyError: 'x'")
    first = evolve(first, children=(first.children[0], fallen, first.children[2]))
    parked = evolve(account("C", armed=False), state="parked", last_error="ValueError: no")
    login = house(first, parked).children[2].children[0]
    assert plain(branch(picture(login))) == TREE


def test_a_terminal_gets_colour_and_a_pipe_does_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same words in both."""
    show({}, *status_parts(summary(HOUSE)), as_json=False)
    piped = capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    show({}, *status_parts(summary(HOUSE)), as_json=False)
    coloured = capsys.readouterr().out
    assert "\x1b" not in piped
    assert "\x1b" in coloured
    for words in ("UNGUARDED (parked)", "-605.22", "daily_loss: net day -604.11"):
        assert words in piped
        assert words in coloured
