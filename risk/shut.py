"""What goes where nothing may be open: in one instrument, or on the whole account.

Beside a position its stops stay until it is flat, also beside one that is not believed yet: should
its close be refused, they are needed.
"""

from decimal import Decimal

from risk.domain import Order, OrderStatus
from risk.orders import could_increase
from risk.snapshot import Snapshot
from risk.verdict import Action, Cancel, Close, Flatten


def held(snapshot: Snapshot) -> Decimal:
    """Contracts held that are not leaving, over all instruments."""
    return Decimal(sum(view.holding.size for view in snapshot.contracts.values()))


def shut_account(snapshot: Snapshot) -> tuple[Action, ...]:
    """Flatten while anything is held that is not leaving; orders alone are cancelled one by one."""
    if any(view.holding.size for view in snapshot.contracts.values()):
        return (Flatten(),)
    if any(view.holding.net for view in snapshot.contracts.values()):
        return ()
    return _cancellations(snapshot, snapshot.orders)


def shut_contract(snapshot: Snapshot, contract_id: str) -> tuple[Action, ...]:
    """Cancellations first, then the close; empty when nothing is there, or all of it is leaving."""
    cancels = _cancellations(snapshot, snapshot.orders_in(contract_id))
    if snapshot.contracts[contract_id].holding.size:
        return (*cancels, Close(contract_id))
    return cancels


def _cancellations(snapshot: Snapshot, orders: tuple[Order, ...]) -> tuple[Cancel, ...]:
    return tuple(
        Cancel(order.id, order.contract_id)
        for order in orders
        if order.status is not OrderStatus.PENDING_CANCELLATION and not _protects(order, snapshot)
    )


def _protects(order: Order, snapshot: Snapshot) -> bool:
    net = snapshot.protectable(order.contract_id)
    return net != 0 and not could_increase(order, net)
