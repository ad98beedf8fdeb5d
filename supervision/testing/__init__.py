"""For tests of actors: a probe, a system whose checks fail the test, virtual time.

Everything here waits on Trio's clock, so it works in virtual time. Fixtures for pytest-trio are in
``supervision.pytest_plugin``; nothing here needs pytest.
"""

from .probe import Probe
from .system import assert_no_dead_letters, open_test_system, until
from .tasks import no_leaked_tasks
from .virtual import run_virtual

__all__ = [
    "Probe",
    "assert_no_dead_letters",
    "no_leaked_tasks",
    "open_test_system",
    "run_virtual",
    "until",
]
