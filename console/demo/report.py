"""What the demo leaves behind: a document for programs, tables for people, and an exit code. Pure."""

from collections.abc import Iterator

from console.demo.chronicle import Enforcement
from console.demo.flows import missed, verdict
from console.demo.play import Played
from console.output import Part, Said, Table, Tone


def document(played: Played) -> dict[str, object]:
    """The report: flows, accounts at the end of the trading day, enforcements, falls, violations."""
    noted = played.noted
    return {
        "flows": played.flows.document(),
        "accounts": [each.document() for each in noted.at_close],
        "enforcements": [each.document() for each in noted.enforcements],
        "restarts": noted.restarts,
        "dead_letters": played.dead_letters,
        "invariant_violations": noted.violations,
    }


def passed(played: Played) -> bool:
    """Every target was met and every invariant held."""
    return not missed(verdict(played.flows)) and not played.noted.violations


def summary(played: Played) -> Iterator[Part]:
    """The end of the demo for people."""
    lines = verdict(played.flows)
    yield ""
    yield Said("The five flows, measured through the real SDK over real sockets", Tone.TITLE)
    yield Table(
        ("flow", "", "target", "measured", ""),
        tuple(
            (line.flow, line.what, line.target, line.measured, _judged(line.missed))
            for line in lines
        ),
    )
    yield ""
    yield Said("What was enforced, and why", Tone.TITLE)
    yield _deeds(played)
    yield ""
    yield (
        f"Actors killed and restarted: {len(played.noted.restarts)}. "
        f"Messages that nobody handled: {played.dead_letters}."
    )
    yield from (Said(f"MISSED  {each}", Tone.BAD) for each in missed(lines))
    yield from (Said(f"WRONG   {each}", Tone.BAD) for each in played.noted.violations)
    if passed(played):
        yield Said("Every target met, every invariant held.", Tone.GOOD)


def _judged(wrong: bool) -> Said:
    return Said("missed", Tone.BAD) if wrong else Said("met", Tone.GOOD)


def _deeds(played: Played) -> Table:
    """What was enforced against whom, the same thing done several times in one row."""
    found: dict[tuple[str, str], list[Enforcement]] = {}
    for each in played.noted.enforcements:
        found.setdefault((each.account, each.enforced.rule), []).append(each)
    return Table(
        ("account", "rule", "times", "first because"),
        tuple(
            (account, rule, str(len(each)), each[0].enforced.reason)
            for (account, rule), each in found.items()
        ),
        numbers=frozenset({2}),
    )
