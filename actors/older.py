"""What earlier configurations of the same trading day have to say."""

from datetime import datetime

from attrs import frozen

from risk.rules import Rule


@frozen
class Older:
    """What was accepted earlier today holds beside what is configured now, until the day ends."""

    rules: tuple[Rule, ...]
    armed: bool
    until: datetime
    """Aware."""
