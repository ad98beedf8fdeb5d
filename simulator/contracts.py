"""The contracts this gateway lists: live ids, tick sizes and values, a price to start from.

Ids follow the live system, where the code in an id often differs from the product's root: the
E-mini Nasdaq (NQ) is ``CON.F.US.ENQ.Z26`` with the name ``NQZ6``. Ticks are the exchange's; start
prices are plausible and nothing more.
"""

from collections.abc import Iterable
from decimal import Decimal

from attrs import frozen


@frozen
class Listing:
    """One tradable contract."""

    id: str
    """Such as ``CON.F.US.ENQ.Z26``."""
    name: str
    """Such as ``NQZ6``."""
    root: str
    """Such as ``NQ``."""
    description: str
    tick_size: Decimal
    """Points per tick."""
    tick_value: Decimal
    """Dollars per tick and contract."""
    price: Decimal
    """Bid at the start, in points."""
    fee: Decimal
    """Dollars per half-turn and contract."""
    active: bool = True

    @property
    def symbol_id(self) -> str:
        """Such as ``F.US.ENQ``."""
        return self.id.removeprefix("CON.").rsplit(".", 1)[0]

    @property
    def point_value(self) -> Decimal:
        """Dollars per point and contract."""
        return self.tick_value / self.tick_size


# root, code in the live id, month and year, tick size, tick value, start price, fee, description
_TABLE = """
ES   EP   Z26 .25      12.50   6800.00   1.40 E-mini S&P 500
NQ   ENQ  Z26 .25      5       25000.00  1.40 E-mini Nasdaq-100
RTY  RTY  Z26 .1       5       2450.0    1.40 E-mini Russell 2000
YM   YM   Z26 1        5       47000     1.40 E-mini Dow
MES  MES  Z26 .25      1.25    6800.00   0.37 Micro E-mini S&P 500
MNQ  MNQ  Z26 .25      .50     25000.00  0.37 Micro E-mini Nasdaq-100
M2K  M2K  Z26 .1       .50     2450.0    0.37 Micro E-mini Russell 2000
MYM  MYM  Z26 1        .50     47000     0.37 Micro E-mini Dow
NKD  NKD  Z26 5        25      50000     2.17 Nikkei 225 (dollar)
CL   CLE  F27 .01      10      60.00     1.52 Crude Oil
MCL  MCL  F27 .01      1       60.00     0.52 Micro Crude Oil
QM   NQM  F27 .025     12.50   60.000    1.22 E-mini Crude Oil
NG   NGE  F27 .001     10      4.000     1.60 Natural Gas
QG   NQG  F27 .005     12.50   4.000     0.52 E-mini Natural Gas
MNG  MNG  F27 .001     1       4.000     0.62 Micro Natural Gas
GC   GCE  Z26 .1       10      4100.0    1.62 Gold
MGC  MGC  Z26 .1       1       4100.0    0.62 Micro Gold
SI   SIE  Z26 .005     25      50.000    1.62 Silver
SIL  SIL  Z26 .005     5       50.000    1.02 Micro Silver
HG   CPE  Z26 .0005    12.50   5.0000    1.62 Copper
MHG  MHG  Z26 .0005    1.25    5.0000    0.62 Micro Copper
ZB   USA  Z26 .03125   31.25   117.00000 0.89 Treasury Bond
ZN   TYA  Z26 .015625  15.625  113.00000 0.82 10-Year Note
ZF   FVA  Z26 .0078125 7.8125  109.50000 0.67 5-Year Note
ZT   TUA  Z26 .00390625 7.8125 104.25000 0.67 2-Year Note
6E   EU6  Z26 .00005   6.25    1.16000   1.62 Euro
6B   BP6  Z26 .0001    6.25    1.3100    1.62 British Pound
6J   JY6  Z26 .0000005 6.25    .0065000  1.62 Japanese Yen
6A   DA6  Z26 .00005   5       .65000    1.62 Australian Dollar
6C   CA6  Z26 .00005   5       .71500    1.62 Canadian Dollar
6S   SF6  Z26 .00005   6.25    1.24000   1.62 Swiss Franc
M6E  M6E  Z26 .0001    1.25    1.1600    0.26 Micro Euro
M6A  M6A  Z26 .0001    1       .6500     0.26 Micro Australian Dollar
M6B  M6B  Z26 .0001    .625    1.3100    0.26 Micro British Pound
MBT  MBT  Z26 5        .50     90000     1.02 Micro Bitcoin
MET  GMET Z26 .5       .05     3000.0    0.12 Micro Ether
"""


def _listing(line: str) -> Listing:
    root, code, month, tick_size, tick_value, price, fee, description = line.split(None, 7)
    return Listing(
        id=f"CON.F.US.{code}.{month}",
        name=f"{root}{month[0]}{month[-1]}",
        root=root,
        description=description,
        tick_size=Decimal(tick_size),
        tick_value=Decimal(tick_value),
        price=Decimal(price),
        fee=Decimal(fee),
    )


FRONT_CONTRACTS: tuple[Listing, ...] = tuple(map(_listing, _TABLE.strip().splitlines()))
"""Front contracts of the common minis and micros, in the table's order."""


def front_contracts(roots: Iterable[str] | None = None) -> tuple[Listing, ...]:
    """The listings of these roots, all of them for None; ValueError names an unknown root."""
    if roots is None:
        return FRONT_CONTRACTS
    by_root = {listing.root: listing for listing in FRONT_CONTRACTS}
    wanted = list(roots)
    if unknown := [root for root in wanted if root not in by_root]:
        raise ValueError(
            f"no contract with root {', '.join(unknown)}; listed are {', '.join(by_root)}"
        )
    return tuple(by_root[root] for root in wanted)
