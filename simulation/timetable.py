"""Rules about hours at random, chosen so that they bind within the twenty minutes of a run."""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from simulation.hours import EARLY_CLOSES, FLAT_BY, SESSION, WEEKDAYS
from simulation.trading_days import CHICAGO, RESET, day_of, next_reset

LATEST = timedelta(minutes=18)
"""After the beginning of a run: then there is still something to be seen of it."""
MARGINS = (0, 30, 90, 180)
"""Seconds."""


def flat_by(chance: random.Random, start: datetime) -> str:
    """Some minutes after the beginning; on a day with an early close also by that alone."""
    if day_of(start) in EARLY_CLOSES and chance.random() < 0.5:
        return f"1510/{chance.choice((60, 120, 240))}"
    return f"{_minute(chance, start, 3):%H%M}/{chance.choice(MARGINS)}"


def session(chance: random.Random, start: datetime) -> str:
    """Hours that end in the run, or begin in it, or both; of all products or of one; or of one day."""
    opened, over = (_shown(start, hours=it) for it in (-2, 6))
    first, second = sorted(chance.sample(range(3, 19), 2))
    ends, begins = _shown(start, minutes=first), _shown(start, minutes=second)
    margin = chance.choice((0, 0, 60, 120))
    forms = [
        f"{opened}-{ends}:{margin}",
        f"{begins}-{over}:{margin}",
        f"{opened}-{ends},{begins}-{over}:{margin}",
        f"{opened}-{over},MNQ/{opened}-{ends}:{margin}",
        f"{opened}-{ends},MES/{opened}-{over},MNQ/{begins}-{over}:{margin}",
    ]
    if day_of(start) in EARLY_CLOSES:
        forms.append(f"{opened}-{over}:{margin}")
    if next_reset(start) - start <= LATEST:
        today = WEEKDAYS[day_of(start).weekday()]
        forms += [f"{opened}-{over}:{margin}/{today}", f"{opened}-{RESET:%H%M}:{margin}"]
    return chance.choice(forms)


def _shown(start: datetime, *, hours: int = 0, minutes: int = 0) -> str:
    """What the wall in Chicago shows so long after."""
    return f"{(start + timedelta(hours=hours, minutes=minutes)).astimezone(CHICAGO):%H%M}"


def _minute(chance: random.Random, start: datetime, earliest: int) -> datetime:
    """A full minute of the run, before the reset if there is one, as the wall in Chicago shows it."""
    latest = min(LATEST, next_reset(start) - start - timedelta(minutes=1))
    minutes = chance.randint(earliest, int(latest.total_seconds()) // 60)
    return (start + timedelta(minutes=minutes)).astimezone(CHICAGO)


TIMED: Mapping[str, Callable[[random.Random, datetime], str]] = {FLAT_BY: flat_by, SESSION: session}
"""What comes after the name of a rule, as :func:`simulation.rulebook.rules_of` reads it."""
