"""What a benchmark prints: for each promise its target, what was measured, and whether it is kept."""

from collections.abc import Iterable, Sequence

from attrs import frozen


@frozen
class Finding:
    """One promise and its measurement; ``kept`` is None where there is nothing to compare with."""

    what: str
    target: str
    measured: str
    kept: bool | None


def at_most(what: str, measured: float, limit: float, unit: str) -> Finding:
    """A promise that the smaller number keeps."""
    return Finding(what, f"<= {limit:g} {unit}", f"{measured:.3g} {unit}", measured <= limit)


def at_least(what: str, measured: float, limit: float, unit: str) -> Finding:
    """A promise that the larger number keeps."""
    return Finding(what, f">= {limit:,.0f} {unit}", f"{measured:,.0f} {unit}", measured >= limit)


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which ``part`` (0 to 1) of the sample lies; the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def show(title: str, findings: Iterable[Finding]) -> None:
    """One line for each promise."""
    words = {True: "met", False: "MISSED", None: "-"}
    print(f"\n{title}")
    for each in findings:
        line = f"  {each.what:<46} {each.target:>18}  {each.measured:>22}  {words[each.kept]}"
        print(line.rstrip())
