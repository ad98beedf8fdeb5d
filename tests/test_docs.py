"""What the documentation shows is run."""

import doctest

import pytest

from tests.conftest import ROOT

PAGES = ("supervision.md",)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_do_what_it_says(page: str) -> None:
    """Each prompt is executed, each answer compared."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    # A fence ends an example as an empty line does.
    examples = text.replace("```python", "").replace("```", "")
    test = doctest.DocTestParser().get_doctest(examples, {}, page, page, 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0
