"""Roots, ids and weights."""

from decimal import Decimal

import pytest
from attrs import evolve

from risk.instruments import PRODUCTS, mini_weight, root_of_id, roots_of, usual_fee
from tests.risk.world import MNQ, NQ


@pytest.mark.parametrize(
    ("contract_id", "root"),
    [
        ("CON.F.US.ENQ.Z26", "NQ"),
        ("F.US.EP", "ES"),
        ("CON.F.US.MNQ.Z26", "MNQ"),
        ("CON.F.US.XYZ.Z26", "XYZ"),
        ("nonsense", None),
        ("CON.F.US", None),
    ],
)
def test_a_contract_id_speaks_of_a_root(contract_id: str, root: str | None) -> None:
    """Long and short ids, with the live system's own codes."""
    assert root_of_id(contract_id) == root


def test_record_and_id_that_agree_give_one_root() -> None:
    """Also when the id's code is in no table."""
    assert roots_of(NQ.id, NQ) == ("NQ",)
    assert roots_of("CON.F.US.XYZ.Z26", evolve(NQ, root="nq")) == ("NQ",)
    assert roots_of(NQ.id, None) == ("NQ",)
    assert roots_of("nonsense", None) == ()


def test_where_they_truly_disagree_both_roots_count() -> None:
    """And the stricter weight and the higher fee win."""
    roots = roots_of(NQ.id, MNQ)
    assert roots == ("MNQ", "NQ")
    assert mini_weight(roots) == 1
    assert usual_fee(roots) == PRODUCTS["NQ"].fee


def test_micros_weigh_a_tenth_and_the_unknown_a_whole() -> None:
    """Half-size contracts such as QM are no micros."""
    assert mini_weight(("MGC",)) == Decimal("0.1")
    assert [mini_weight((root,)) for root in ("QM", "E7", "ES", "XYZ")] == [1, 1, 1, 1]
    assert mini_weight(()) == 1
    assert usual_fee(()) == max(product.fee for product in PRODUCTS.values())
