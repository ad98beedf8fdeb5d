"""Rules about hours at random, chosen so that they bind within the twenty minutes of a run."""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from simulation.hours import EARLY_CLOSES, FLAT_BY, NEWS, SESSION, WEEKDAYS
from simulation.trading_days import CHICAGO, RESET, day_of, next_reset

LATEST = timedelta(minutes=18)
"""After the beginning of a run: then there is still something to be seen of it."""
NEWS_BEGIN, NEWS_LAST = (60, 1000), (20, 60, 120, 300)
"""Seconds, after the beginning of a run; and of a window."""
NEXT_DAY, NEXT_DAY_NEWS = timedelta(seconds=300), (30, 270)
"""Seconds before the reset of the next day at which a run may wake, and after that."""
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


def news_blackout(chance: random.Random, start: datetime) -> str:
    """One to three windows that may overlap, and one before the reset of the day after."""
    windows = [_window(chance, start, NEWS_BEGIN) for _ in range(chance.randint(1, 3))]
    later = next_reset(next_reset(start)) - NEXT_DAY
    return ",".join((*windows, _window(chance, later, NEXT_DAY_NEWS)))


def _window(chance: random.Random, after: datetime, begins: tuple[int, int]) -> str:
    start = after + timedelta(seconds=chance.randint(*begins))
    roots = chance.choice(("", "", "/MNQ", "/MNQ+MES", "/MES+NQ+CL+SI"))
    return f"{start:%Y%m%dT%H%M%SZ}/{chance.choice(NEWS_LAST)}{roots}"


def _shown(start: datetime, *, hours: int = 0, minutes: int = 0) -> str:
    """What the wall in Chicago shows so long after."""
    return f"{(start + timedelta(hours=hours, minutes=minutes)).astimezone(CHICAGO):%H%M}"


def _minute(chance: random.Random, start: datetime, earliest: int) -> datetime:
    """A full minute of the run, before the reset if there is one, as the wall in Chicago shows it."""
    latest = min(LATEST, next_reset(start) - start - timedelta(minutes=1))
    minutes = chance.randint(earliest, int(latest.total_seconds()) // 60)
    return (start + timedelta(minutes=minutes)).astimezone(CHICAGO)


TIMED: Mapping[str, Callable[[random.Random, datetime], str]] = {
    FLAT_BY: flat_by,
    SESSION: session,
    NEWS: news_blackout,
}
"""What comes after the name of a rule, as :func:`simulation.rulebook.rules_of` reads it."""
