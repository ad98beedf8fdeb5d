"""For the one stall that no thread of the interpreter can see: C code that never gives way to it.

``sum(itertools.count())`` in a handler holds the interpreter's lock, and a watchdog thread waits for
that lock like everybody else. The kernel does not: a timer on the CPU time of the process ends it with
a signal, and faulthandler, which needs no lock, writes the stacks first. CPU time stands still while
a process is suspended or waits, so neither is mistaken for a stall.
"""

import faulthandler
import signal
from typing import Self


class CpuAlarm:
    """While the block runs: ends the process by SIGVTALRM after ``within`` seconds of CPU time.

    Unless it is postponed before. There is one such timer in a process; it counts the user time of
    all threads together. The stacks go to the descriptor ``file``.
    """

    def __init__(self, *, within: float, file: int) -> None:
        if within <= 0:
            raise ValueError(f"a CPU alarm needs a positive number of seconds, not {within}")
        self._within = within
        self._file = file

    def __enter__(self) -> Self:
        # Chained: after the stacks comes what the signal does by default, which is to end it all.
        faulthandler.register(signal.SIGVTALRM, file=self._file, all_threads=True, chain=True)
        self.postpone()
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        faulthandler.unregister(signal.SIGVTALRM)

    def postpone(self) -> None:
        """Begin to count anew; from any thread."""
        signal.setitimer(signal.ITIMER_VIRTUAL, self._within)
