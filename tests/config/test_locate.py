"""The locator finds what the standard parser read."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.locate import KeyPath, Spot, locate


def paths(value: Any, above: KeyPath = ()) -> list[KeyPath]:
    """Every key and element of a parsed document."""
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    found = []
    for key, inside in pairs:
        found += [(*above, key), *paths(inside, (*above, key))]
    return found


def text_at(document: str, spot: Spot) -> str:
    return document.split("\n")[spot.line - 1][spot.column - 1 :]


scalars = st.sampled_from(
    [
        "1",
        "-2.50",
        "true",
        "2026-11-22",
        "17:00:00",
        '"a # no comment ] } , = \\" x"',
        "'C:\\path # [x]'",
        '"""\nmany # lines\nkey = 1 \\""" ""x"""',
        "'''one\n[not.a.header]\n'quoted' '''",
        '""',
        "''",
        '"""quote at the end""""',
        "inf",
        "0x_ff".replace("_", ""),
    ]
)


@st.composite
def written_documents(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A valid document, with the tokens of its keys; no two keys are alike."""
    tokens: list[str] = []

    def key() -> str:
        n = len(tokens)
        style = draw(
            st.sampled_from(["k{}", '"k{}.#=[] "', "'k{} \\ \"]'", "k-{}_", '"k{}\\u00e9"'])
        )
        tokens.append(style.format(n))
        return tokens[-1]

    def value(depth: int) -> str:
        kind = draw(st.sampled_from(["scalar"] * 3 + (["array", "inline"] if depth < 3 else [])))
        if kind == "scalar":
            return draw(scalars)
        inside = range(draw(st.integers(0, 3)))
        if kind == "array":
            gap = draw(st.sampled_from(["", " ", "\n  # comment ] }\n"]))
            body = f",{gap}".join(value(depth + 1) for _ in inside)
            return f"[{gap}{body}{gap}]"
        return "{" + ", ".join(pair(depth + 1) for _ in inside) + "}"

    def pair(depth: int) -> str:
        names = [key() for _ in range(draw(st.integers(1, 3)))]
        return f"{draw(st.sampled_from(['.', ' . '])).join(names)} = {value(depth)}"

    def lines() -> list[str]:
        count = range(draw(st.integers(0, 3)))
        return [draw(st.sampled_from(["", "\t"])) + pair(0) + "  # end" for _ in count]

    written = lines()
    for _ in range(draw(st.integers(0, 4))):
        names = ".".join(key() for _ in range(draw(st.integers(1, 3))))
        if draw(st.booleans()):
            written += [f"[{names}]", *lines()]
        else:
            for _ in range(draw(st.integers(1, 3))):
                written += [f"[[ {names} ]]", *lines(), f"[{names}.{key()}]", *lines()]
    return "\n".join(written), tokens


@settings(max_examples=100)
@given(written_documents())
def test_every_key_is_found_where_it_stands(case: tuple[str, list[str]]) -> None:
    """Each key of a valid document has a spot, and the text there is that key."""
    document, tokens = case
    spots = locate(document)
    written = {tomllib.loads(f"{token} = 0").popitem()[0]: token for token in tokens}
    for path in paths(tomllib.loads(document)):
        if isinstance(path[-1], str):
            assert text_at(document, spots[path]).startswith(written[path[-1]]), path
        else:
            assert path in spots


def test_a_table_stands_where_its_own_header_is() -> None:
    """A mention on the way to another table counts only until the table's header comes."""
    spots = locate("[a.b.c]\nx = 1\n[a]\ny = 2\n")
    assert spots["a",] == Spot(3, 2)
    assert spots["a", "b"] == Spot(1, 4)
    assert spots["a", "b", "c", "x"] == Spot(2, 1)


def test_arrays_of_tables_are_told_apart() -> None:
    """A key belongs to the newest table of its array."""
    spots = locate("[[event]]\nstart = 1\n[event.where]\nroot = 1\n[[event]]\nstart = 2\n")
    assert spots["event", 0, "start"] == Spot(2, 1)
    assert spots["event", 0, "where", "root"] == Spot(4, 1)
    assert spots["event", 1, "start"] == Spot(6, 1)


def test_elements_of_an_array_over_several_lines() -> None:
    """An element stands where its value begins."""
    spots = locate('names = [\n  "a", # [first]\n  { of = "b" },\n]\n')
    assert spots["names", 0] == Spot(2, 3)
    assert spots["names", 1, "of"] == Spot(3, 5)


@pytest.mark.parametrize("document", ["= 1", "[a", "a b", "a = [[1] 2]"])
def test_what_is_no_document_is_refused(document: str) -> None:
    """The locator does not invent places in a text it cannot follow."""
    with pytest.raises(ValueError, match="expected"):
        locate(document)
