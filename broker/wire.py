"""The gateway's JSON as market words: pure decoding, exact numbers, one error.

Field names and their meaning are those of the ProjectX Gateway's REST answers and hub pushes, which
use the same records. Whatever is handed in, these functions answer a value or raise ``BadPayload``
naming the field: a number may come as int, float, string or Decimal; an instant as ISO 8601 with
``Z`` or an offset (without either it is UTC); unknown keys are ignored.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import cast

from broker.port import BadPayload
from broker.roots import root_of_id, root_of_name
from risk.domain import (
    BrokerAccount,
    Contract,
    Mark,
    Order,
    OrderStatus,
    OrderType,
    Position,
    Side,
    Trade,
)

Record = Mapping[str, object]

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""``opened_at`` of a flat position that does not say when it was opened."""

_DEEPEST = 8
_LARGEST_EXPONENT = 30
_LARGEST_INTEGER = 2**63 - 1
_TYPES = {int(kind): kind for kind in OrderType}
_STATUSES = {int(status): status for status in OrderStatus}
_SIDES = {int(side): side for side in Side}


def unwrap(payload: object) -> list[Record]:
    """The records in a push: bare, in ``{"action", "data"}``, or in a list of either."""
    return _unwrapped(payload, 0)


def _unwrapped(payload: object, depth: int) -> list[Record]:
    if depth > _DEEPEST:
        raise BadPayload("the payload is nested too deeply")
    if isinstance(payload, list | tuple):
        return [record for item in payload for record in _unwrapped(item, depth + 1)]
    if not isinstance(payload, Mapping):
        raise BadPayload(f"expected a record, got {_shown(payload)}")
    if "data" in payload and (len(payload) == 1 or "action" in payload):
        return _unwrapped(payload["data"], depth + 1)
    return [payload]


def decode_trade(record: object) -> Trade:
    """A half-turn; ``profitAndLoss`` null means that it opened."""
    of = _record(record)
    return Trade(
        id=_integer(of, "id"),
        account_id=_integer(of, "accountId"),
        contract_id=_text(of, "contractId"),
        order_id=_integer(of, "orderId"),
        at=_instant(of, "creationTimestamp"),
        side=_side(of),
        size=_integer(of, "size", at_least=1),
        price=_number(of, "price"),
        profit_and_loss=_optional_number(of, "profitAndLoss"),
        fees=_optional_number(of, "fees"),
        voided=_flag(of, "voided") if of.get("voided") is not None else False,
    )


def decode_order(record: object) -> Order:
    """An order; a type or status of an unknown number is UNKNOWN or NONE, so it counts as working."""
    of = _record(record)
    created = _instant(of, "creationTimestamp")
    return Order(
        id=_integer(of, "id"),
        account_id=_integer(of, "accountId"),
        contract_id=_text(of, "contractId"),
        status=_STATUSES.get(_integer(of, "status"), OrderStatus.NONE),
        type=_TYPES.get(_integer(of, "type"), OrderType.UNKNOWN),
        side=_side(of),
        size=_integer(of, "size", at_least=0),
        filled=0 if of.get("fillVolume") is None else _integer(of, "fillVolume", at_least=0),
        created=created,
        updated=created if of.get("updateTimestamp") is None else _instant(of, "updateTimestamp"),
        limit_price=_optional_number(of, "limitPrice"),
        stop_price=_optional_number(of, "stopPrice"),
        parent_id=None if of.get("parentOrderId") is None else _integer(of, "parentOrderId"),
    )


def decode_position(record: object) -> Position:
    """A position; size 0 or type 0 is flat, and a flat one needs no more than its two ids."""
    of = _record(record)
    net = _net(of)
    flat = net == 0
    return Position(
        id=0 if flat and of.get("id") is None else _integer(of, "id"),
        account_id=_integer(of, "accountId"),
        contract_id=_text(of, "contractId"),
        opened_at=_NEVER
        if flat and of.get("creationTimestamp") is None
        else _instant(of, "creationTimestamp"),
        net=net,
        average_price=Decimal(0)
        if flat and of.get("averagePrice") is None
        else _number(of, "averagePrice"),
    )


def _net(of: Record) -> int:
    size = _integer(of, "size", at_least=0) if of.get("size") is not None else None
    kind = _integer(of, "type") if of.get("type") is not None else None
    if size == 0 or kind == 0:
        return 0
    if size is None:
        raise _missing("size")
    if kind not in (1, 2):
        raise BadPayload(f"type: neither long (1) nor short (2) but {_shown(of.get('type'))}")
    return size if kind == 1 else -size


def decode_account(record: object) -> BrokerAccount:
    """An account as listed or pushed."""
    of = _record(record)
    return BrokerAccount(
        id=_integer(of, "id"),
        name=_text(of, "name"),
        balance=_number(of, "balance"),
        can_trade=_flag(of, "canTrade"),
    )


def decode_contract(record: object) -> Contract:
    """A contract; a missing or zero tick size or tick value is a ``BadPayload``.

    The root is taken from the name, or from the id when there is no name; ask
    ``broker.roots.conflicting_root(contract.id, contract.name)`` whether the two disagree.
    """
    of = _record(record)
    contract_id = _text(of, "id")
    name = _text(of, "name") if of.get("name") else (root_of_id(contract_id) or contract_id)
    return Contract(
        id=contract_id,
        root=root_of_name(name),
        name=name,
        tick_size=_positive(of, "tickSize"),
        tick_value=_positive(of, "tickValue"),
    )


def decode_quote(record: object, received: float) -> Mark:
    """Prices of one contract received at a monotonic instant; what is unusable is None.

    Zero, negative and not-a-number prices are unusable, and so are a bid and ask that cross.
    """
    of = _record(record)
    bid = _price(of, "bestBid")
    ask = _price(of, "bestAsk")
    last = _price(of, "lastPrice")
    if bid is not None and ask is not None and bid > ask:
        bid = ask = None
    never = float("-inf")
    return Mark(
        bid=bid,
        ask=ask,
        last=last,
        bid_at=never if bid is None else received,
        ask_at=never if ask is None else received,
        last_at=never if last is None else received,
    )


def decode_contract_id(value: object) -> str:
    """The first argument of a quote."""
    return _text({"contractId": value}, "contractId")


def decode_newest_close(bars: object, begun_by: datetime | None = None) -> Decimal | None:
    """Close of the newest bar of History/retrieveBars, in whatever order; None without bars.

    Bars that began after ``begun_by`` are passed over.
    """
    if bars is None:
        return None
    if not isinstance(bars, list | tuple):
        raise BadPayload(f"bars: expected a list, got {_shown(bars)}")
    begun = [(_instant(bar, "t"), bar) for bar in map(_record, bars)]
    early = [it for it in begun if begun_by is None or it[0] <= begun_by]
    newest = max(early, key=lambda it: it[0], default=None)
    return None if newest is None else _price(newest[1], "c")


def _record(value: object) -> Record:
    if not isinstance(value, Mapping):
        raise BadPayload(f"expected a record, got {_shown(value)}")
    return cast(Record, value)


def _missing(key: str) -> BadPayload:
    return BadPayload(f"{key}: missing")


def _shown(value: object) -> str:
    return f"{type(value).__name__} {str(value)[:40]!r}" if _is_small(value) else _kind(value)


def _is_small(value: object) -> bool:
    return value is None or isinstance(value, bool | float | str | Decimal)


def _kind(value: object) -> str:
    return type(value).__name__


def _integer(of: Record, key: str, at_least: int | None = None) -> int:
    value = of.get(key)
    if type(value) is int:
        number = value
    else:
        exact = _decimal(value, key)
        number = int(exact)
        if number != exact:
            raise BadPayload(f"{key}: not a whole number but {_shown(value)}")
    if not -_LARGEST_INTEGER <= number <= _LARGEST_INTEGER:
        raise BadPayload(f"{key}: a number out of range")
    if at_least is not None and number < at_least:
        raise BadPayload(f"{key}: {number} is below {at_least}")
    return number


def _number(of: Record, key: str) -> Decimal:
    return _decimal(of.get(key), key)


def _optional_number(of: Record, key: str) -> Decimal | None:
    value = of.get(key)
    return None if value is None else _decimal(value, key)


def _positive(of: Record, key: str) -> Decimal:
    number = _number(of, key)
    if number <= 0:
        raise BadPayload(f"{key}: {number} is not above zero")
    return number


def _price(of: Record, key: str) -> Decimal | None:
    value = of.get(key)
    if value is None:
        return None
    number = _parsed(value, key)
    return number if number.is_finite() and number > 0 and _in_range(number) else None


def _decimal(value: object, key: str) -> Decimal:
    if value is None:
        raise _missing(key)
    number = _parsed(value, key)
    if not number.is_finite() or not _in_range(number):
        raise BadPayload(f"{key}: a number out of range")
    return number


def _in_range(number: Decimal) -> bool:
    return -_LARGEST_EXPONENT <= number.adjusted() <= _LARGEST_EXPONENT or not number


def _parsed(value: object, key: str) -> Decimal:
    if type(value) is Decimal:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise BadPayload(f"{key}: expected a number, got {_shown(value)}")
    try:
        return Decimal(value) if isinstance(value, int) else Decimal(str(value))
    except InvalidOperation as error:
        raise BadPayload(f"{key}: expected a number, got {_shown(value)}") from error


def _text(of: Record, key: str) -> str:
    value = of.get(key)
    if value is None:
        raise _missing(key)
    if not isinstance(value, str) or not value:
        raise BadPayload(f"{key}: expected a text, got {_shown(value)}")
    return value


def _flag(of: Record, key: str) -> bool:
    value = of.get(key)
    if value is None:
        raise _missing(key)
    if isinstance(value, bool):
        return value
    raise BadPayload(f"{key}: expected true or false, got {_shown(value)}")


def _side(of: Record) -> Side:
    side = _SIDES.get(_integer(of, "side"))
    if side is None:
        raise BadPayload(f"side: neither buy (0) nor sell (1) but {of.get('side')}")
    return side


def _instant(of: Record, key: str) -> datetime:
    value = of.get(key)
    if value is None:
        raise _missing(key)
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)
    if not isinstance(value, str):
        raise BadPayload(f"{key}: expected an instant, got {_shown(value)}")
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadPayload(f"{key}: expected an instant, got {_shown(value)}") from error
