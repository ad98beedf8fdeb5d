"""Roots of contracts."""

import pytest

from broker.roots import CODE_OF_ROOT, ROOT_OF_CODE, conflicting_root, root_of_id, root_of_name


@pytest.mark.parametrize(
    ("name", "root"),
    [("NQZ6", "NQ"), ("M6EZ26", "M6E"), ("6EH7", "6E"), ("MNQ", "MNQ"), ("M2KU6", "M2K")],
)
def test_root_is_the_name_without_its_date(name: str, root: str) -> None:
    """Month code and year go, digits of the product stay."""
    assert root_of_name(name) == root


@pytest.mark.parametrize(
    ("contract_id", "root"),
    [
        ("CON.F.US.ENQ.Z26", "NQ"),
        ("F.US.ENQ", "NQ"),
        ("CON.F.US.MNQ.Z26", "MNQ"),
        ("garbage", None),
        ("", None),
    ],
)
def test_root_of_an_id(contract_id: str, root: str | None) -> None:
    """Long and short ids resolve alike."""
    assert root_of_id(contract_id) == root


def test_every_code_agrees_with_its_own_root() -> None:
    """No contract of the table conflicts with itself."""
    for code, root in ROOT_OF_CODE.items():
        assert conflicting_root(f"CON.F.US.{code}.Z26", f"{root}Z6") is None
    assert len(CODE_OF_ROOT) == len(ROOT_OF_CODE)


def test_disagreement_is_reported_and_unknown_codes_agree() -> None:
    """Only a code that the table maps elsewhere is a conflict."""
    assert conflicting_root("CON.F.US.ENQ.Z26", "ESZ6") == "NQ"
    assert conflicting_root("CON.F.US.NEW.Z26", "ESZ6") is None
    assert conflicting_root("CON.F.US.EP.Z26", "EPZ6") is None
