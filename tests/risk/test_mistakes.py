"""Mistakes of earlier systems: each is a test, and ``MISTAKES`` says where.

Some are made inside a rule or the state it judges; these are here and beside the subjects they belong
to. Others are made between the parts, in what reads a payload or in what is written about it.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve

from risk.rules import (
    RULES,
    CooldownAfterLoss,
    MaxContractsPerInstrument,
    NewsBlackout,
    Rule,
    Session,
    SymbolBlock,
    TradeFrequency,
    Trigger,
)
from risk.rules.cooldown_after_loss import Streak
from risk.rules.news_blackout import Event, News
from risk.verdict import Action, Close, Reduce
from tests.conftest import ROOT
from tests.risk.story import Example, examples, judged
from tests.risk.world import MNQ, NOON, NQ, World

MISTAKES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "rules bound to the wrong events, so never run": {
        "risk/test_mistakes.py": [
            "test_the_event_that_completes_a_breach_makes_the_rule_act",
        ],
        "risk/test_evaluate.py": [
            "test_a_rule_is_asked_on_its_triggers_and_at_every_full_look",
        ],
        "actors/test_mistakes.py": [
            "test_every_kind_of_event_makes_somebody_ask_the_rules",
        ],
    },
    "violations found but enforcement never called": {
        "actors/test_mistakes.py": [
            "test_what_a_rule_finds_is_done_at_the_broker",
        ],
    },
    "a missing account id that passes silently": {
        "broker/test_mistakes.py": [
            "test_what_names_no_account_is_refused_and_not_passed_over",
        ],
        "risk/test_reconcile.py": [
            "test_an_account_without_an_id_is_a_critical_alert",
        ],
    },
    "realised P&L counted twice": {
        "risk/test_disagreement.py": [
            "test_a_losing_exit_never_counts_twice",
        ],
        "e2e/test_trouble_payloads.py": [
            "test_a_losing_exit_told_in_two_parts_is_not_counted_twice",
        ],
    },
    "position events arriving three times": {
        "risk/test_reconcile.py": [
            "test_the_same_position_event_three_times_changes_once",
        ],
        "e2e/test_trouble_payloads.py": [
            "test_every_event_three_times_enforces_once",
        ],
    },
    "a half-turn (P&L null) counted as zero or as a trade": {
        "risk/test_mistakes.py": [
            "test_an_entry_is_neither_a_result_of_zero_nor_a_round_trip",
        ],
        "risk/test_ledger.py": [
            "test_an_opening_half_turn_is_no_round_trip",
        ],
        "broker/test_mistakes.py": [
            "test_a_profit_that_is_null_is_not_zero",
        ],
    },
    "stops placed in the broker's own screen unseen": {
        "risk/test_no_stop_loss.py": [
            "test_a_stop_of_the_brokers_own_screen_is_found_by_a_reading",
        ],
        "e2e/test_first_rules.py": [
            "test_no_stop_loss_closes_what_nobody_protects",
        ],
    },
    "a take-profit taken for a stop": {
        "risk/test_no_stop_loss.py": [
            "test_what_does_not_get_out_of_a_loss_does_not_protect",
        ],
    },
    "a break-even stop refused": {
        "risk/test_no_stop_loss.py": [
            "test_a_stop_protects_wherever_its_price_is",
        ],
    },
    "long NQ netted against short ES": {
        "risk/test_max_contracts.py": [
            "test_long_nq_never_nets_short_es",
        ],
    },
    "tick value mistaken for point value": {
        "risk/test_ledger.py": [
            "test_one_point_of_a_micro_is_two_dollars",
        ],
    },
    "a 60 s idempotency window that swallows a second, true breach": {
        "risk/test_evaluate.py": [
            "test_a_second_breach_within_the_minute_is_a_breach",
        ],
        "actors/test_mistakes.py": [
            "test_the_same_breach_again_within_a_minute_is_enforced_again",
        ],
    },
    "hour == 17 and minute == 0 missed by a late wake-up": {
        "risk/test_reconcile.py": [
            "test_the_reset_happens_once_also_when_it_is_noticed_late",
        ],
        "actors/test_mistakes.py": [
            "test_a_machine_that_sleeps_through_1700_resets_when_it_wakes",
        ],
    },
    "24 h added across DST": {
        "risk/test_trading_day.py": [
            "test_the_reset_is_at_1700_in_chicago_on_every_weekday_of_seven_years",
        ],
        "actors/test_mistakes.py": [
            "test_the_day_after_the_clocks_have_changed_ends_at_1700_by_the_wall",
        ],
    },
    "a crash on a position of type 0": {
        "broker/test_mistakes.py": [
            "test_a_position_of_type_0_is_flat_and_nothing_to_crash_on",
        ],
        "risk/test_reconcile.py": [
            "test_a_flat_position_event_is_nothing_to_crash_on",
        ],
    },
    "a leftover bracket stop that re-opens a position on a locked account": {
        "risk/test_evaluate.py": [
            "test_a_leftover_stop_on_a_locked_account_is_cancelled",
        ],
        "actors/test_mistakes.py": [
            "test_a_stop_that_is_left_over_opens_nothing_on_a_locked_account",
        ],
    },
    "symbols compared with contract ids (NQ is ENQ there)": {
        "risk/test_mistakes.py": [
            "test_every_rule_that_names_products_means_roots_and_not_ids",
        ],
        "risk/test_symbol_block.py": [
            "test_symbols_are_not_compared_with_contract_ids",
        ],
    },
    "a P&L throttle that hides a breach": {
        "risk/test_evaluate.py": [
            "test_every_quote_is_judged",
        ],
        "actors/test_mistakes.py": [
            "test_a_breach_that_lasts_a_moment_between_many_quotes_is_seen",
        ],
    },
    "docs that claim what is not wired": {
        "console/test_mistakes.py": [
            "test_every_rule_of_the_rule_book_can_be_configured_and_is_guarded",
            "test_every_command_and_option_that_is_shown_exists",
            "test_the_rules_that_are_claimed_to_be_enforced_are",
        ],
        "risk/test_examples.py": [
            "test_the_rule_book_is_current",
        ],
        "e2e/test_first_rules.py": [
            "test_every_rule_goes_the_whole_way_and_its_reason_is_compared",
        ],
    },
}
"""Each mistake, and the tests that would notice it again."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_has_its_tests_and_they_name_it(mistake: str) -> None:
    """Where the tests have moved to, or have been renamed, the list follows."""
    for path, names in MISTAKES[mistake].items():
        tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
        functions = [
            it for it in tree.body if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        said = {it.name: ast.get_docstring(it) or "" for it in functions}
        for name in names:
            assert "Mistake of earlier systems: " in said[name], (path, name)


# --- rules bound to the wrong events, so never run -------------------------------------------------

_EVENTS: tuple[tuple[str, tuple[Trigger, ...]], ...] = (
    (r"buy .*|sell .*", (Trigger.FILL, Trigger.POSITION)),
    (r"order .*|cancel .*", (Trigger.ORDER,)),
    (r"quote .*", (Trigger.MARK,)),
    (r"wait .*|until .*", (Trigger.TIMER,)),
    (r"the link is lost", (Trigger.CONNECTION,)),
)


def last_event(example: Example) -> tuple[Trigger, ...]:
    """What the broker, or time, told last."""
    for step in reversed(example.story):
        for pattern, triggers in _EVENTS:
            if re.fullmatch(pattern, step):
                return triggers
    raise ValueError(f"nothing happens: {example.story}")


ACTING = tuple(
    (it, trigger)
    for it in examples()
    if it.does or it.says
    for trigger in last_event(it)
    if it.trigger in (Trigger.FULL, trigger)
)


@pytest.mark.parametrize(
    ("example", "trigger"),
    ACTING,
    ids=[f"{it.rule.name}: {it.title} ({trigger.value})" for it, trigger in ACTING],
)
def test_the_event_that_completes_a_breach_makes_the_rule_act(
    example: Example, trigger: Trigger
) -> None:
    """Mistake of earlier systems: rules bound to the wrong events, so that they never ran.

    What a rule does in a full look it does at once, when the last thing of the story is told.
    """
    does, because, locked, verdict = judged(evolve(example, trigger=trigger))
    assert (does, because, locked) == (example.does, example.because, example.locked)
    assert {it.code for it in verdict.alerts} >= set(example.says)


def test_each_rule_acts_on_an_event_in_some_example() -> None:
    """No rule is left to the regular look alone."""
    assert {it.rule.name for it, _ in ACTING} == set(RULES)


# --- a half-turn (P&L null) counted as zero or as a trade ------------------------------------------


def test_an_entry_is_neither_a_result_of_zero_nor_a_round_trip() -> None:
    """Mistake of earlier systems: an opening half-turn, whose P&L is null, counted as a result.

    As a zero it would end a row of losses; as a trade it would make two of each round trip.
    """
    world = World()
    for profit in (None, "-20", None, "-20"):
        signed = 1 if profit is None else -1
        price = "20000" if profit is None else "19990"
        world.report(world.make_trade(signed, price, profit=profit, order_id=world.next_id()))
        world.wait(1)
    holding = world.snapshot().contracts[MNQ.id].holding
    assert [holding.earned(trip) for trip in holding.trips] == [Decimal(-20), Decimal(-20)]
    assert len(holding.entries) == 2
    streak = CooldownAfterLoss(streaks=(Streak(2, timedelta(minutes=5)),))
    two = TradeFrequency(session=2)
    world.fill(1, "19990")
    assert [it.rule for it in world.judge(streak).violations] == ["cooldown_after_loss"]
    assert [it.rule for it in world.judge(two).violations] == ["trade_frequency"]
    assert not world.judge(TradeFrequency(session=3)).violations
    assert not world.judge(CooldownAfterLoss(streaks=(Streak(3, timedelta(minutes=5)),))).violations


# --- symbols compared with contract ids ------------------------------------------------------------

_HOUR = timedelta(hours=1)
_NEWS = Event(NOON - _HOUR, NOON + _HOUR, ("NQ",), "Payrolls")
_CLOSE = (Close(NQ.id),)


@pytest.mark.parametrize(
    ("rule", "plan"),
    [
        (SymbolBlock(symbols=("NQ",)), _CLOSE),
        (SymbolBlock(only=("MNQ",)), _CLOSE),
        (SymbolBlock(only=("NQ", "MNQ")), ()),
        (MaxContractsPerInstrument(limits={"NQ": 1}), (Reduce(NQ.id, 1),)),
        (MaxContractsPerInstrument(limits={"NQ": 2, "MNQ": 1}, other="block"), ()),
        (Session(times=("08:30-15:00",), by_root={"NQ": ("08:30-11:00",)}), _CLOSE),
        (NewsBlackout(file=News((_NEWS,))), _CLOSE),
    ],
)
def test_every_rule_that_names_products_means_roots_and_not_ids(
    rule: Rule, plan: tuple[Action, ...]
) -> None:
    """Mistake of earlier systems: symbols compared with contract ids, where NQ is ENQ and in MNQ."""
    world = World()
    world.fill(1, "20000", MNQ)
    world.fill(2, "20000", NQ)
    assert world.judge(rule).plan == plan
