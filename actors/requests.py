"""The requests of a connection: what an account asked for, carried to a session and answered."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import trio

from actors.messages import (
    AccountsListed,
    CancelOrder,
    CloseContract,
    ContractFound,
    ContractMissing,
    ContractsListed,
    ContractWanted,
    Mutation,
    OpeningPrice,
    OpeningPriceWanted,
    PartialCloseContract,
    PriceWanted,
    ReadDone,
    ReadFailed,
    ReadWanted,
)
from actors.price_messages import Marked
from broker.clock import Clock
from broker.port import BrokerError, Outcome, Priority, Session
from risk.domain import Mark


def mutation(session: Session, message: Mutation) -> Callable[[], Awaitable[Outcome]]:
    """The call that a mutation stands for."""
    match message:
        case CloseContract(account_id=account_id, contract_id=contract_id):
            return partial(session.close, account_id, contract_id)
        case PartialCloseContract(account_id=account_id, contract_id=contract_id, size=size):
            return partial(session.partial_close, account_id, contract_id, size)
        case CancelOrder(account_id=account_id, order_id=order_id):
            return partial(session.cancel, account_id, order_id)


async def list_accounts(session: Session, clock: Clock) -> AccountsListed:
    """Look at the account list."""
    asked, accounts, problem = clock.now(), None, ""
    try:
        accounts = await session.accounts(Priority.RECONCILE)
    except BrokerError as error:
        problem = str(error)
    return AccountsListed(accounts, asked, clock.now(), problem)


async def list_contracts(session: Session) -> ContractsListed:
    """Read every contract's record; one that is missing is asked for when it is traded."""
    try:
        return ContractsListed(await session.contracts(Priority.HOUSEKEEPING))
    except BrokerError:
        return ContractsListed(())


Read = ReadWanted | ContractWanted | PriceWanted | OpeningPriceWanted

OPENING_PRICE_AGAIN = (0.25, 0.5, 1.0, 2.0)
"""Seconds between tries for the price at the start of a day, within which its account asks no more."""


def refuse_read(message: Read, problem: str) -> None:
    """Tell whoever asked that it could not be read."""
    match message:
        case ReadWanted(purpose=purpose, reply_to=reply_to):
            reply_to.tell(ReadFailed(purpose, problem))
        case ContractWanted(contract_id, reply_to):
            reply_to.tell(ContractMissing(contract_id, problem))
        case PriceWanted() | OpeningPriceWanted():
            pass  # the next regular look asks again


async def answer_read(session: Session, message: Read) -> None:
    """Read what was asked for and tell whoever asked."""
    try:
        match message:
            case ReadWanted():
                message.reply_to.tell(await _read_state(session, message))
            case ContractWanted(contract_id, reply_to):
                reply_to.tell(
                    ContractFound(await session.contract(contract_id, Priority.RECONCILE))
                )
            case PriceWanted(contract_id, reply_to):
                price = await session.last_price(contract_id, Priority.HOUSEKEEPING)
                if price is not None:
                    mark = Mark(last=price, last_at=trio.current_time())
                    reply_to.tell(Marked(contract_id, mark))
            case OpeningPriceWanted(contract_id, at, reply_to):
                price = await _price_at(session, contract_id, at)
                if price is not None:
                    reply_to.tell(OpeningPrice(contract_id, at, price))
    except BrokerError as error:
        refuse_read(message, str(error))


async def _price_at(session: Session, contract_id: str, at: datetime) -> Decimal | None:
    """The day's loss is not guarded until it is known: an answer that failed is not waited out."""
    for delay in OPENING_PRICE_AGAIN:
        try:
            return await session.price_at(contract_id, at, Priority.RECONCILE)
        except BrokerError:
            await trio.sleep(delay)
    return await session.price_at(contract_id, at, Priority.RECONCILE)


async def _read_state(session: Session, wanted: ReadWanted) -> ReadDone:
    """Positions, orders and trades in parallel, between two looks at the receive counter."""
    answers: dict[str, Any] = {"positions": None, "orders": None, "trades": None}

    async def fetch(part: str, read: Callable[[], Awaitable[Any]]) -> None:
        answers[part] = await read()

    before = session.statistics()
    account_id, priority = wanted.account_id, wanted.priority
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fetch, "positions", partial(session.positions, account_id, priority))
            if wanted.orders:
                nursery.start_soon(fetch, "orders", partial(session.orders, account_id, priority))
            if wanted.trades_since is not None:
                nursery.start_soon(
                    fetch,
                    "trades",
                    partial(session.trades, account_id, wanted.trades_since, priority),
                )
    except* BrokerError as group:
        raise _first(group) from group
    return ReadDone(
        wanted.purpose, before.link, before.received, session.statistics().received, **answers
    )


def _first(group: BaseExceptionGroup[BrokerError]) -> BrokerError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, BrokerError)
    return error
