"""How long the command line takes to say anything at all."""

import subprocess
import time
from statistics import median

from benchmarks.gateway import ROOT
from benchmarks.report import Finding, show


def run(*, quick: bool) -> None:
    """``./seawall --version``, environment check included."""
    times = [_once() for _ in range(5 if quick else 15)]
    said = f"{median(times) * 1000:.0f} ms"
    show("command line", [Finding("./seawall --version, median", f"n = {len(times)}", said, None)])


def _once() -> float:
    began = time.perf_counter()
    subprocess.run([str(ROOT / "seawall"), "--version"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
