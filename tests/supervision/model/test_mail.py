"""Mailboxes under random mail do what a plain list does, and no message is ever lost."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from .mail import mail_plan_from
from .mail_drive import drive_mail
from .mail_model import Reader, side_by_side

chance = st.randoms(use_true_random=False)


@given(chance)
@settings(max_examples=1000)
def test_a_mailbox_is_a_list(source: random.Random) -> None:
    """Lanes, bounds, overflow, merging, asks and their ends, through restarts and the last stop."""
    plan = mail_plan_from(source)
    run, reader = drive_mail(plan), Reader(plan)
    model = reader.run()
    assert run == model, f"{plan}\n{side_by_side(run, model)}"
    accounted = reader.handled + reader.conflated + reader.withdrawn + reader.dead
    assert reader.accepted == accounted


def test_the_mail_campaign_meets_what_it_is_for() -> None:
    """Every fate of a message and every end of a question is frequent, not just possible."""
    plans = [mail_plan_from(random.Random(number)) for number in range(150)]
    words: dict[str, int] = {}
    for plan in plans:
        for line in drive_mail(plan).happened:
            word = line.split(maxsplit=1)[1].rstrip("0123456789 ")
            for known in ("dead", "refused", "answered", "unknown", "restarting", "has stopped"):
                if word.startswith(known):
                    cause = line.split(maxsplit=3)[3] if known == "dead" else ""
                    words[f"{known} {cause}"] = words.get(f"{known} {cause}", 0) + 1
    assert {word for word, times in words.items() if times >= 5} == {
        "dead crashed",
        "dead cancelled",
        "dead stopped",
        "dead shutdown",
        "dead dropped",
        "dead late reply",
        "refused ",
        "answered ",
        "unknown ",
        "restarting ",
        "has stopped ",
    }
