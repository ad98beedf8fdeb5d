"""What is documented of the simulated gateway is what there is."""

import re
from pathlib import Path

from simulator.faults import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "simulated-gateway.md"


def test_every_fault_is_documented_and_no_other() -> None:
    """The first column of the table of faults names them all."""
    table = PAGE.read_text(encoding="utf-8").split("## Faults")[1]
    cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == set(KINDS)
