"""The catalogues stay true to the tree: what they plant has a place, who must find it is there."""

import pytest

from tests.planted.catalogue import ROOT, Defect, catalogues, hold_against, read_catalogue

DEFECTS = [
    pytest.param(defect, id=f"{name}-{defect.name}")
    for name, path in catalogues([]).items()
    for defect in read_catalogue(path)
]


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_still_fits(defect: Defect) -> None:
    """Its text occurs exactly once, what comes of it is Python, and its finder exists."""
    hold_against(defect, ROOT)


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_says_what_goes_wrong(defect: Defect) -> None:
    """One sentence, so that a survivor can be judged without reading code."""
    assert defect.wrong[0].isupper()
    assert defect.wrong.endswith(".")
    assert "\n" not in defect.wrong


def test_names_are_unique() -> None:
    """--only means one defect, in whichever catalogue."""
    names = [defect.name for path in catalogues([]).values() for defect in read_catalogue(path)]
    assert sorted(set(names)) == sorted(names)


def test_an_unknown_catalogue_is_named_with_those_there_are() -> None:
    """A typing mistake must not look like a clean run."""
    with pytest.raises(LookupError, match="no catalogue supervison; there are .*supervision"):
        catalogues(["supervison"])
