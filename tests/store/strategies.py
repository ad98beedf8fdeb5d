"""The vocabulary of journal tests: values of the market and of the rules, as Hypothesis draws them."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from risk.domain import BrokerAccount, Episode, Side, Trade
from risk.verdict import Action, Alert, Cancel, Close, Flatten, Lock, Reduce, Violation
from store.records import DayStart, Intent, OpenLot

texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = st.sampled_from(["50KTC-A", "50KTC-B", "EXPRESS-7", "Ω"])
contracts = st.sampled_from(["CON.F.US.MNQ.Z26", "CON.F.US.EP.Z26", "CON.F.US.GCE.G27"])
money = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
instants = st.datetimes(
    # Hypothesis wants naive bounds and adds the zone itself.
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
numbers = st.integers(min_value=1, max_value=2**53)

locks = st.builds(Lock, rule=texts, until=instants, set_at=instants, reason=texts)
episodes = st.builds(Episode, numbers, instants, st.sampled_from(Side))
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Close, contracts),
    st.builds(Reduce, contracts, st.integers(1, 50)),
    st.builds(Cancel, numbers, contracts),
    st.just(Flatten()),
)
violations = st.builds(
    Violation,
    rule=texts,
    account=names,
    contract_id=st.none() | contracts,
    observed=money,
    limit=money,
    trigger=texts,
    reason=texts,
    actions=st.lists(actions, max_size=3).map(tuple),
    lock=st.none() | locks,
    inputs=st.dictionaries(texts, texts, max_size=3),
)
intents = st.builds(Intent, texts, actions, violations, st.none() | episodes)
trades = st.builds(
    Trade,
    id=numbers,
    account_id=numbers,
    contract_id=contracts,
    order_id=numbers,
    at=instants,
    side=st.sampled_from(Side),
    size=st.integers(1, 100),
    price=money,
    profit_and_loss=st.none() | money,
    fees=st.none() | money,
    voided=st.booleans(),
)
day_starts = st.builds(
    DayStart,
    day=st.dates(),
    starts=instants,
    open=st.dictionaries(
        contracts, st.builds(OpenLot, st.integers(-50, 50), st.none() | money), max_size=3
    ),
)
broker_accounts = st.builds(BrokerAccount, numbers, names, money, st.booleans())
alerts = st.builds(Alert, texts, texts, st.none() | contracts, st.booleans())


def example_lock(rule: str = "daily_loss", hour: int = 22) -> Lock:
    """A lock of 20 November 2026 that ends at ``hour`` UTC."""
    return Lock(
        rule=rule,
        until=datetime(2026, 11, 20, hour, tzinfo=UTC),
        set_at=datetime(2026, 11, 20, 16, tzinfo=UTC),
        reason="net day -1003.20 <= -1000",
    )


def example_intent(name: str = "50KTC-A/1-1", lock: Lock | None = None) -> Intent:
    """Flatten for a broken daily loss."""
    violation = Violation(
        rule="daily_loss",
        account="50KTC-A",
        contract_id=None,
        observed=Decimal("-1003.20"),
        limit=Decimal(-1000),
        trigger="fill",
        reason="net day -1003.20 <= -1000",
        actions=(Flatten(),),
        lock=lock,
    )
    return Intent(name, Flatten(), violation)


def example_trade(number: int = 1, at: datetime | None = None) -> Trade:
    """One MNQ bought on 20 November 2026."""
    return Trade(
        id=number,
        account_id=1001,
        contract_id="CON.F.US.MNQ.Z26",
        order_id=number,
        at=at or datetime(2026, 11, 20, 15, tzinfo=UTC),
        side=Side.BUY,
        size=1,
        price=Decimal("25000.25"),
        profit_and_loss=None,
        fees=Decimal("0.37"),
    )
