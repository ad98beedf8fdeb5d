"""The daemon as a block: what it is made of, and how its failures end."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import trio
from attrs import evolve

import actors.daemon
from actors.older import Older
from config import Config, load
from config.words import plain
from console.daemon import run_daemon
from console.logging import logging_to
from console.service import Surroundings, open_daemon, plan_of
from risk.domain import Side, Trade
from risk.past import Seed
from risk.rules import MaxContracts
from store import records
from store.journal import open_journal
from store.port import Json
from store.projection import Projection
from supervision import Actor

NOWHERE = "http://127.0.0.1:1"
"""Nobody listens there."""


def configuration(folder: Path, *more: str) -> Config:
    path = folder / "seawall.toml"
    path.write_text(
        "\n".join(
            [
                *more,
                "[logins.sim]",
                'username = "trader"',
                'api_key_env = "SIM_KEY"',
                f'api_url = "{NOWHERE}/api"',
                f'user_hub_url = "{NOWHERE}/hubs/user"',
                f'market_hub_url = "{NOWHERE}/hubs/market"',
                "[accounts.A]",
                'login = "sim"',
                '[accounts."*"]',
                'role = "watched"',
            ]
        )
    )
    environment = {"SIM_KEY": "some-key-1234"}
    return load(path, environment=environment, today=date(2026, 11, 18), for_run=True)


def test_an_account_that_nobody_named_is_taken_in_as_the_template_says(tmp_path: Path) -> None:
    """Under its own name and login, watched as the template is."""
    plan = plan_of(configuration(tmp_path))
    adopted = plan.adopt("sim", "B")
    assert adopted is not None
    assert (adopted.name, adopted.login, adopted.armed) == ("B", "sim", False)
    assert [(a.name, a.armed) for a in plan.accounts] == [("A", True)]


def test_shadow_mode_disarms_every_account(tmp_path: Path) -> None:
    """Decide and say so, send nothing."""
    plan = plan_of(configuration(tmp_path, "[daemon]", 'mode = "shadow"'))
    assert [a.armed for a in plan.accounts] == [False]


NOON = datetime(2026, 11, 18, 18, tzinfo=UTC)


LIMITED: dict[str, Json] = {
    "login": "sim",
    "armed": True,
    "rules": {"max_contracts": plain(MaxContracts(limit=2))},
}


def accepted_in_the_morning(*busy: str, **document: Json) -> Projection:
    """A day on which two accounts were guarded, or what else is said, and these have traded."""
    accounts: list[Json] = [{"name": name, **LIMITED} for name in ("A", "GONE")]
    journal = Projection()
    said = document or {"accounts": accounts}
    journal.apply(records.config(NOON - timedelta(hours=3), "old", said))
    for name in busy:
        trade = Trade(
            1, 1, "CON.F.US.MNQ.Z26", 1, NOON, Side.BUY, 1, Decimal(25000), None, Decimal(1)
        )
        journal.apply(records.fill(name, NOON, trade))
    return journal


def test_what_was_accepted_today_goes_on_until_the_reset(tmp_path: Path) -> None:
    """A rule that was taken out, and an account that was; both as armed as they were."""
    journal = accepted_in_the_morning("A", "GONE")
    plan = plan_of(configuration(tmp_path), journal, NOON)
    older = Older((MaxContracts(limit=2),), True, datetime(2026, 11, 18, 23, tzinfo=UTC))
    assert {it.name: it.older for it in plan.accounts} == {"A": older}
    adopted = plan.adopt("sim", "GONE")
    assert adopted is not None
    assert (adopted.older, adopted.armed) == (older, False)


def test_an_account_that_is_guarded_no_more_is_until_the_reset(tmp_path: Path) -> None:
    """Without a template nobody else would look at it."""
    config = evolve(configuration(tmp_path), template=None)
    plan = plan_of(config, accepted_in_the_morning("A", "GONE"), NOON)
    assert [(it.name, it.older is not None) for it in plan.accounts] == [
        ("A", True),
        ("GONE", True),
    ]
    assert plan.adopt("sim", "OTHER") is None


@pytest.mark.parametrize("kept", [True, False])
def test_what_a_template_said_this_morning_goes_on_for_those_that_it_took_in(
    tmp_path: Path, *, kept: bool
) -> None:
    """Whether there still is one or not; who has a table of his own by now has both."""
    template: Json = {"name": "*", **LIMITED, "login": "*"}
    journal = accepted_in_the_morning("A", "B", accounts=[], template=template)
    config = configuration(tmp_path)
    plan = plan_of(config if kept else evolve(config, template=None), journal, NOON)
    older = Older((MaxContracts(limit=2),), True, datetime(2026, 11, 18, 23, tzinfo=UTC))
    assert {it.name: it.older for it in plan.accounts} == {"A": older}
    adopted = plan.adopt("sim", "B")
    assert adopted is not None
    assert (adopted.name, adopted.login, adopted.older) == ("B", "sim", older)


@pytest.mark.parametrize(("busy", "high"), [(("A",), 51200), ((), 50000)])
def test_a_seed_that_is_lowered_today_lowers_no_floor_of_who_has_traded(
    tmp_path: Path, busy: tuple[str, ...], high: int
) -> None:
    """The higher high counts until the reset; a seed where there was none counts at once."""
    seed: Json = {"high_water": "51200", "as_of": "2026-11-17"}
    accounts: list[Json] = [{"name": "A", **LIMITED, "seed": seed}]
    journal = accepted_in_the_morning(*busy, accounts=accounts)
    (account,) = plan_of(seeded(tmp_path, 50000), journal, NOON).accounts
    assert account.seed is not None
    assert account.seed.high_water == high
    (account,) = plan_of(seeded(tmp_path, 50000), accepted_in_the_morning("A"), NOON).accounts
    assert account.seed is not None
    assert account.seed.high_water == 50000


def seeded(folder: Path, high: int) -> Config:
    config = configuration(folder)
    (account,) = config.accounts
    return evolve(config, accounts=(evolve(account, seed=Seed(high_water=Decimal(high))),))


@pytest.mark.parametrize(("busy", "until"), [(("A",), 17), ((), 9)])
def test_a_reset_that_is_moved_does_not_end_the_day_of_who_has_traded(
    tmp_path: Path, busy: tuple[str, ...], until: int
) -> None:
    """At noon the day would have begun anew three hours ago, with all that was lost before."""
    config = configuration(tmp_path, "[daemon]", 'reset_at = "09:00"')
    said: Json = {"timezone": "America/Chicago", "reset_at": "17:00"}
    for after, expected in ((timedelta(0), until), (timedelta(days=1), 9)):
        journal = accepted_in_the_morning(*busy, daemon=said)
        plan = plan_of(config, _restarted(journal, config), NOON + after)
        assert plan.calendar.reset_at.hour == expected


def _restarted(journal: Projection, config: Config) -> Projection:
    journal.apply(records.config(NOON, "new", config.document()))
    return journal


def test_who_has_not_traded_today_may_change_his_limits_at_once(tmp_path: Path) -> None:
    """Nor does anything of an earlier day hold on."""
    quiet = plan_of(configuration(tmp_path), accepted_in_the_morning(), NOON)
    tomorrow = plan_of(
        configuration(tmp_path), accepted_in_the_morning("A"), NOON + timedelta(days=2)
    )
    assert [it.older for it in (*quiet.accounts, *tomorrow.accounts)] == [None, None]


async def test_an_unreachable_gateway_does_not_keep_the_daemon_from_starting(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """It is up, its journal holds the configuration, and it knows that it guards nothing yet."""
    config = configuration(tmp_path)
    quiet = Surroundings(random.Random(1), signals=False, stuck_after=None)
    async with open_daemon(config, quiet) as system:
        assert system.tree().state == "running"
        assert (config.daemon.state_dir / "seawall.sock").exists()
    journal = await open_journal(config.daemon.state_dir, datetime.now(UTC))
    try:
        accepted = [each.fingerprint for each in journal.projection.configurations]
        assert accepted == [config.fingerprint()]
    finally:
        await journal.aclose()


class Broken(Actor[object]):
    async def started(self) -> None:
        raise RuntimeError("worn out")


async def test_a_part_that_everything_depends_on_ends_the_daemon_loudly(
    tmp_path: Path,
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The last line says that nothing is guarded and what to do; the exit code is not 0."""
    monkeypatch.setattr(actors.daemon, "SessionClock", lambda calendar, clock: Broken())
    with logging_to():
        assert await run_daemon(configuration(tmp_path)) == 1
    last = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert last["level"] == "critical"
    assert last["event"].startswith("UNGUARDED: ")
    assert "'session clock' failed too often" in last["problem"]
