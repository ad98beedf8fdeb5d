"""Requests of the REST surface, as the ProjectX Gateway documentation shapes them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Text = Annotated[str, Meta(max_length=200)]
Size = Annotated[int, Meta(ge=-(2**31), le=2**31)]


class Request(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A request; unknown keys are ignored, as the live gateway does."""


class Empty(Request, frozen=True):
    """Nothing is asked."""


class LoginKey(Request, frozen=True):
    """Auth/loginKey."""

    user_name: Text
    api_key: Annotated[str, Meta(max_length=4096)]


class SearchAccounts(Request, frozen=True):
    """Account/search."""

    only_active_accounts: bool = False


class SearchContracts(Request, frozen=True):
    """Contract/search."""

    search_text: Text = ""
    live: bool = False


class AvailableContracts(Request, frozen=True):
    """Contract/available."""

    live: bool = False


class ContractById(Request, frozen=True):
    """Contract/searchById."""

    contract_id: Text


class RetrieveBars(Request, frozen=True):
    """History/retrieveBars."""

    contract_id: Text
    start_time: datetime
    end_time: datetime
    live: bool = False
    unit: int = 2
    unit_number: Annotated[int, Meta(ge=1, le=10_000)] = 1
    limit: Annotated[int, Meta(ge=0, le=20_000)] = 20_000
    include_partial_bar: bool = False


class OfAccount(Request, frozen=True):
    """Position/searchOpen and Order/searchOpen."""

    account_id: Id


class CloseContract(Request, frozen=True):
    """Position/closeContract."""

    account_id: Id
    contract_id: Text


class PartialCloseContract(Request, frozen=True):
    """Position/partialCloseContract."""

    account_id: Id
    contract_id: Text
    size: Size


class BracketRequest(Request, frozen=True):
    """A stop or target to be attached; ticks of either sign, the distance counts."""

    ticks: Annotated[int, Meta(ge=-100_000, le=100_000)]
    type: int


class PlaceOrder(Request, frozen=True):
    """Order/place."""

    account_id: Id
    contract_id: Text
    type: int
    side: int
    size: Size
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    custom_tag: Text | None = None
    linked_order_id: Id | None = None
    stop_loss_bracket: BracketRequest | None = None
    take_profit_bracket: BracketRequest | None = None


class ModifyOrder(Request, frozen=True):
    """Order/modify."""

    account_id: Id
    order_id: Id
    size: Size | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None


class CancelOrder(Request, frozen=True):
    """Order/cancel."""

    account_id: Id
    order_id: Id


class SearchHistory(Request, frozen=True):
    """Order/search and Trade/search."""

    account_id: Id
    start_timestamp: datetime | None = None
    end_timestamp: datetime | None = None


class OrderById(Request, frozen=True):
    """Order/searchById."""

    account_id: Id
    order_id: Id


class OrderFilter(Request, frozen=True):
    """Which orders v2/query returns."""

    account_id: Id
    statuses: list[int] | None = None
    contract_id: Text | None = None


class QueryOrders(Request, frozen=True):
    """Order/v2/query."""

    filter: OrderFilter
    page_size: Annotated[int, Meta(ge=1, le=1000)] = 100
    page_offset: Annotated[int, Meta(ge=0)] = 0
