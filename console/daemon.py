"""Running the daemon as a program: what it says at its start and end, and its exit code."""

import gc
import random
import sys

import structlog
import trio

from config import Config
from config.model import AccountConfig
from console.logging import logging_to
from console.service import StoppedWhileStarting, Surroundings, open_daemon
from store.database import DatabaseHeld
from store.owner import StateDirectoryTaken
from supervision import Escalated

THREADS_LET_GO_AFTER = 0.0005
"""Seconds; the interpreter's own figure is ten times that."""

log = structlog.get_logger("seawall")


def guard(config: Config) -> int:
    """Guard until a signal; 0 after an ordered stop, 1 when guarding failed."""
    # Commits and log lines are work of threads; the loop must not wait 5 ms for them to let go.
    sys.setswitchinterval(THREADS_LET_GO_AFTER)
    with logging_to():
        return trio.run(run_daemon, config)


async def run_daemon(config: Config) -> int:
    """Run the daemon to its end, telling how it went; the exit code."""
    failed = 0
    try:
        async with open_daemon(config, Surroundings(random.SystemRandom())) as system:
            _announce(config)
            # What was imported and built stays to the end: a collection that walks through all of
            # it again and again would stop the loop for milliseconds, in the worst minute too.
            gc.freeze()
            await system.wait()
    except* (StoppedWhileStarting, KeyboardInterrupt):
        pass
    except* Escalated as gave_up:
        failed = 1
        log.critical(
            "UNGUARDED: Seawall stops because a part that everything depends on failed too often. "
            "Start it again; it takes up its locks and the broker's state from where they are",
            problem=_first(gave_up),
        )
    except* (StateDirectoryTaken, DatabaseHeld) as taken:
        failed = 1
        log.critical("not started: %s", _first(taken))
    except* OSError as trouble:
        failed = 1
        log.critical("not started, the state cannot be kept: %s", _first(trouble))
    if not failed:
        log.info("stopped in order; nothing is guarded any more, locks are kept")
    return failed


def _first(group: BaseExceptionGroup) -> str:
    """The sentence of the first error in nested groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)


def _announce(config: Config) -> None:
    for warning in config.warnings:
        log.warning("%s: %s", warning.key, warning.message, place=warning.place)
    if config.daemon.mode == "shadow":
        log.warning('mode = "shadow": Seawall decides and says so, but sends nothing')
    for account in config.accounts:
        _announce_account(account.name, account)
    if config.template is not None:
        _announce_account("every other account", config.template)
    log.info(
        "Seawall is up",
        accounts=len(config.accounts),
        logins=len(config.logins),
        config=str(config.path),
        state=str(config.daemon.state_dir),
        clock=config.daemon.clock,
    )


def _announce_account(name: str, account: AccountConfig) -> None:
    rules = ", ".join(rule.name for rule in account.rules)
    if account.armed:
        log.info("guarding %s", name, login=account.login, rules=rules)
    else:
        log.warning(
            "watching %s only: breaches are told, nothing is closed",
            name,
            login=account.login,
            rules=rules,
        )
