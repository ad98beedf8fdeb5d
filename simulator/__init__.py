"""The simulated ProjectX Gateway: a pure exchange model behind REST, SignalR hubs and faults.

``python -m simulator --json`` serves one for any ProjectX client; ``build_gateway`` and ``serve`` do
the same inside a Trio nursery; ``broker.memory`` runs straight on :class:`Exchange`.
"""

from simulator.build import build_gateway
from simulator.contracts import FRONT_CONTRACTS, Listing, front_contracts
from simulator.exchange import Exchange
from simulator.gateway import Gateway
from simulator.ledger import Account
from simulator.lots import LotMethod
from simulator.orders import Bracket, OrderRequest, Quote
from simulator.scenario import BadScenario, Scenario, load_scenario, parse_scenario
from simulator.server import Addresses, serve
from simulator.words import OrderStatus, OrderType, Side

__all__ = [
    "FRONT_CONTRACTS",
    "Account",
    "Addresses",
    "BadScenario",
    "Bracket",
    "Exchange",
    "Gateway",
    "Listing",
    "LotMethod",
    "OrderRequest",
    "OrderStatus",
    "OrderType",
    "Quote",
    "Scenario",
    "Side",
    "build_gateway",
    "front_contracts",
    "load_scenario",
    "parse_scenario",
    "serve",
]
