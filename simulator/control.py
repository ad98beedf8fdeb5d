"""The control endpoints: prices, clock, faults, scenarios, and the whole truth for those who check.

For tests, demos and benchmarks on the same machine; no client of a live gateway knows them.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import trio

from simulator.desk import Handled
from simulator.faults import KINDS, BadFault, parse_fault
from simulator.gateway import Call, Gateway, Reply, json_reply, problem
from simulator.messages import PlaceOrder
from simulator.record import Record
from simulator.rest import order_request
from simulator.scenario import BadScenario, Slide, Step, parse_scenario
from simulator.state import latencies, state

MOST_PRICE = Decimal(10) ** 9


class BadControl(ValueError):
    """A control request that makes no sense; the text says why."""


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    pass


class SetQuote(_Body, frozen=True):
    """POST /control/quote: a price; with ``hold`` (the default) the living prices leave it alone."""

    contract_id: str
    bid: Decimal
    ask: Decimal
    last: Decimal | None = None
    hold: bool = True


class SetClock(_Body, frozen=True):
    """POST /control/clock: jump, change speed, or both."""

    now: datetime | None = None
    speed: float | None = None


class SetAccount(_Body, frozen=True):
    """POST /control/account: permissions, or a payout or correction of the balance."""

    account_id: int
    can_trade: bool | None = None
    visible: bool | None = None
    adjust: Decimal = Decimal(0)
    refuses: frozenset[str] | None = None


class VoidTrade(_Body, frozen=True):
    """POST /control/void: strike a trade."""

    trade_id: int


class Control:
    """Answers control requests; scenarios run in the server's nursery."""

    def __init__(self, gateway: Gateway, nursery: trio.Nursery) -> None:
        self._gateway = gateway
        self._nursery = nursery
        self._routes: dict[str, tuple[str, Callable[[Any], object]]] = {
            "/control/state": ("GET", lambda _: state(gateway)),
            "/control/latency": ("GET", lambda _: latencies(gateway.record)),
            "/control/clock": ("GET or POST", self._clock),
            "/control/quote": ("POST", self._quote),
            "/control/fault": ("POST", self._fault),
            "/control/scenario": ("POST", self._scenario),
            "/control/order": ("POST", self._order),
            "/control/account": ("POST", self._account),
            "/control/void": ("POST", self._void),
            "/control/reset-record": ("POST", self._reset_record),
        }

    def answer(self, call: Call) -> Reply:
        """The reply to a control request."""
        route = self._routes.get(call.path)
        if route is None:
            known = ", ".join(self._routes)
            return problem(404, f"there is no {call.path}; there are {known}")
        methods, act = route
        if call.method not in methods.split(" or "):
            return problem(405, f"{call.path} takes {methods}", headers=(("Allow", methods),))
        try:
            body = msgspec.json.decode(call.body) if call.method == "POST" and call.body else {}
            return json_reply(200, act(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(400, f"{call.path}: {error}")
        except (BadControl, BadFault, BadScenario) as error:
            return problem(400, str(error))

    # --- the endpoints

    def _clock(self, body: Any) -> object:
        wanted = msgspec.convert(body, SetClock)
        time = self._gateway.time
        try:
            time.set(now=wanted.now, speed=wanted.speed)
        except (ValueError, OverflowError) as error:
            raise BadControl(f"clock: {error}") from error
        return {"now": time.now().isoformat(), "speed": time.speed}

    def _quote(self, body: Any) -> object:
        quote = _converted(body, SetQuote)
        gateway = self._gateway
        if quote.contract_id not in gateway.exchange.listings:
            raise BadControl(f"quote: no contract {quote.contract_id}")
        for price in (quote.bid, quote.ask, quote.last or Decimal(1)):
            if not price.is_finite() or not 0 < price < MOST_PRICE:
                raise BadControl("quote: a price must be above 0")
        if quote.bid > quote.ask:
            raise BadControl("quote: the bid is above the ask")
        gateway.walk.place(quote.contract_id, quote.bid, hold=quote.hold)
        gateway.desk.refresh()
        now = gateway.time.now()
        gateway.exchange.set_quote(quote.contract_id, quote.bid, quote.ask, now, quote.last)
        return gateway.exchange.quote_payload(quote.contract_id, now)

    def _fault(self, body: Any) -> object:
        if not isinstance(body, dict):
            raise BadControl("fault: the body must be an object")
        if "clear" in body:
            self._heal(body["clear"])
        else:
            self._gateway.inject(parse_fault(body))
        return {"faults": self._gateway.board.show()}

    def _heal(self, which: object) -> None:
        if which is not True and which not in KINDS:
            raise BadControl(f"clear: true, or one of {', '.join(sorted(KINDS))}")
        self._gateway.heal(None if which is True else KINDS[str(which)])

    def _order(self, body: Any) -> object:
        request = order_request(msgspec.convert(body, PlaceOrder, strict=False))
        if isinstance(request, str):
            raise BadControl(f"order: {request}")
        handled: Handled = self._gateway.desk.place(request, self._gateway.time.now())
        answer = handled.answer
        return {"orderId": answer.order_id, "code": answer.code, "message": answer.message}

    def _account(self, body: Any) -> object:
        wanted = _converted(body, SetAccount)
        exchange = self._gateway.exchange
        if wanted.account_id not in exchange.accounts:
            raise BadControl(f"account: no account {wanted.account_id}")
        if not wanted.adjust.is_finite() or abs(wanted.adjust) > MOST_PRICE:
            raise BadControl("account: adjust must be an amount of dollars")
        exchange.set_account(
            wanted.account_id,
            can_trade=wanted.can_trade,
            visible=wanted.visible,
            adjust=wanted.adjust,
            refuses=wanted.refuses,
        )
        return {"accounts": self._gateway.desk.accounts()}

    def _void(self, body: Any) -> object:
        wanted = _converted(body, VoidTrade)
        if not self._gateway.exchange.void(wanted.trade_id):
            raise BadControl(f"void: no trade {wanted.trade_id}, or it is voided already")
        return {"voided": wanted.trade_id}

    def _reset_record(self, _: Any) -> object:
        self._gateway.record = Record()
        return {}

    def _scenario(self, body: Any) -> object:
        scenario = parse_scenario(body)
        if body and set(body) - {"steps"}:
            raise BadControl("scenario: a running gateway takes only steps")
        self.play(scenario.steps)
        return {"steps": len(scenario.steps)}

    # --- scenarios

    def play(self, steps: tuple[Step, ...]) -> None:
        """Let the steps happen at their times from now on."""
        for step in steps:
            self._nursery.start_soon(self._play_step, step)

    async def _play_step(self, step: Step) -> None:
        await trio.sleep(step.at)
        if step.slide is not None:
            await self._play_slide(step.slide)
            return
        _, act = self._routes[f"/control/{step.action}"]
        try:
            act(getattr(step, step.action))
        except (BadControl, BadFault, msgspec.ValidationError) as error:
            self._gateway.mishaps.append(f"step {step.action}: {error}")

    async def _play_slide(self, slide: Slide) -> None:
        quote = self._gateway.exchange.quotes.get(slide.contract_id)
        if quote is None or slide.over <= 0 or slide.steps_per_second <= 0:
            self._gateway.mishaps.append(f"slide: no contract {slide.contract_id}, or no time")
            return
        tick = self._gateway.exchange.listings[slide.contract_id].tick_size
        count = max(int(slide.over * slide.steps_per_second), 1)
        for n in range(1, count + 1):
            await trio.sleep(slide.over / count)
            exact = quote.bid + (slide.to - quote.bid) * n / count
            bid = max((exact / tick).to_integral_value(), Decimal(1)) * tick
            self._quote({"contractId": slide.contract_id, "bid": bid, "ask": bid + tick})


def _converted[B: _Body](body: Any, shape: type[B]) -> B:
    return msgspec.convert(body, shape, strict=False)
