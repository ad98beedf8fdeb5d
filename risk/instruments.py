"""Known products: which roots exist, which are micros, and what one half-turn usually costs.

The broker's contract record is the authority for tick size and tick value; this table only knows
what that record does not say. Roots and ids: GATEWAY, section 5. Fees are what TopstepX is believed
to charge per contract and half-turn; they are used only until the broker reports the real fee, and
flag the figure they enter as estimated.
"""

from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from types import MappingProxyType

from attrs import frozen

from risk.domain import Contract


@frozen
class Product:
    """What is known of a root without asking the broker."""

    root: str
    micro: bool
    fee: Decimal
    """Dollars per contract and half-turn, an estimate."""


_FEES = {
    "1.40": "ES NQ RTY YM EMD NKD",
    "1.52": "CL RB HO NG QM QG",
    "1.62": "GC SI HG PL 6E 6B 6J 6A 6C 6S 6N 6M E7 BTC ETH",
    "0.89": "ZB UB ZN TN ZF ZT",
    "2.15": "ZC ZS ZW ZM ZL LE HE GF",
}
_MICRO_FEES = {
    "0.37": "MES MNQ M2K MYM",
    "0.62": "MCL MNG MGC SIL MHG",
    "0.26": "M6E M6A M6B",
    "1.02": "MBT MET",
}


def _products(fees: Mapping[str, str], *, micro: bool) -> dict[str, Product]:
    return {
        root: Product(root, micro, Decimal(fee))
        for fee, roots in fees.items()
        for root in roots.split()
    }


PRODUCTS: Mapping[str, Product] = MappingProxyType(
    {**_products(_FEES, micro=False), **_products(_MICRO_FEES, micro=True)}
)
"""Every known root, upper case."""

_ROOT_OF_CODE: Mapping[str, str] = MappingProxyType(
    dict(
        pair.split("=")
        for pair in [
            "EP=ES",
            "ENQ=NQ",
            "EU6=6E",
            "BP6=6B",
            "JY6=6J",
            "DA6=6A",
            "CA6=6C",
            "SF6=6S",
            "NE6=6N",
            "MX6=6M",
            "EEU=E7",
            "GMET=MET",
            "NQG=QG",
            "NQM=QM",
            "CLE=CL",
            "GCE=GC",
            "SIE=SI",
            "NGE=NG",
            "CPE=HG",
            "USA=ZB",
            "TYA=ZN",
            "FVA=ZF",
            "TUA=ZT",
        ]
    )
)

_FUNGIBLE: Mapping[str, tuple[str, Decimal]] = MappingProxyType(
    {
        small: (product, Decimal(share))
        for product, others in {
            "ES": "MES=0.1",
            "NQ": "MNQ=0.1",
            "RTY": "M2K=0.1",
            "YM": "MYM=0.1",
            "CL": "MCL=0.1 QM=0.5",
            "NG": "MNG=0.1 QG=0.25",
            "GC": "MGC=0.1",
            "SI": "SIL=0.2",
            "HG": "MHG=0.1",
            "6E": "M6E=0.1 E7=0.5",
            "6A": "M6A=0.1",
            "6B": "M6B=0.1",
            "BTC": "MBT=0.02",
            "ETH": "MET=0.002",
        }.items()
        for small, share in (pair.split("=") for pair in others.split())
    }
)
"""Smaller contracts of a product: the root of the whole one, and which part of it each is."""

MICRO_WEIGHT = Decimal("0.1")
"""TopstepX counts every micro as a tenth of a mini, whatever its notional."""
_ONE = Decimal(1)
_UNKNOWN_FEE = max(product.fee for product in PRODUCTS.values())


def require_known_root(symbol: str) -> None:
    """Raises ValueError, with what was probably meant, for a root that is in no table."""
    if symbol in PRODUCTS:
        return
    near = get_close_matches(symbol, PRODUCTS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"{symbol} is no known root{hint}")


def root_of_id(contract_id: str) -> str | None:
    """The root a contract id speaks of (``CON.F.US.ENQ.Z26`` is NQ), None for a foreign shape."""
    parts = contract_id.split(".")
    if "F" not in parts or len(parts) <= parts.index("F") + 2:
        return None
    code = parts[parts.index("F") + 2].upper()
    return _ROOT_OF_CODE.get(code, code)


def roots_of(contract_id: str, contract: Contract | None) -> tuple[str, ...]:
    """The roots a contract counts under: one, or both where record and id truly disagree.

    The record comes first. An id whose code is in no table does not contradict it.
    """
    by_id = root_of_id(contract_id)
    if contract is None:
        return (by_id,) if by_id is not None else ()
    root = contract.root.upper()
    if by_id is None or by_id == root or by_id not in PRODUCTS:
        return (root,)
    return (root, by_id)


def mini_weight(roots: tuple[str, ...]) -> Decimal:
    """Minis that one contract counts as; the stricter of two roots, a whole one if unknown."""
    if roots and all(_is_micro(root) for root in roots):
        return MICRO_WEIGHT
    return _ONE


def product_of(roots: tuple[str, ...], contract_id: str) -> str:
    """The product a contract is of, by its largest contract's root: NQ for MNQ; by id if unknown."""
    root = roots[0] if roots else contract_id
    return _FUNGIBLE[root][0] if root in _FUNGIBLE else root


def share_of(roots: tuple[str, ...]) -> Decimal:
    """Which part of the product's largest contract one contract is: 0.1 for MNQ."""
    return _FUNGIBLE[roots[0]][1] if roots and roots[0] in _FUNGIBLE else _ONE


def usual_fee(roots: tuple[str, ...]) -> Decimal:
    """Dollars per contract and half-turn to assume until the broker has said it."""
    known = [PRODUCTS[root].fee for root in roots if root in PRODUCTS]
    return max(known) if known else _UNKNOWN_FEE


def _is_micro(root: str) -> bool:
    product = PRODUCTS.get(root)
    return product is not None and product.micro
