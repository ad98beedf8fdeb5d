"""One owner of a login's token: a single login at a time, in good time, and never in a frenzy.

Anyone who meets a 401 asks for a renewal, naming the token that failed; however many ask, there is
one login. Repeated logouts, such as by a platform that allows one session, space the logins out.
"""

import base64
import binascii
import json
import random
from collections.abc import Awaitable, Callable
from datetime import datetime

import trio

from broker.port import BrokerError, LoginRejected, RateLimited

GAPS = (0.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds before a login that was forced upon us, by how many were lately."""

CALM_AFTER = 600.0
"""Seconds without a forced login after which the gaps start anew."""

DEFAULT_LIFETIME = 12 * 3600.0
"""Seconds, for a token that does not tell."""

SHORTEST_RENEWAL = 60.0
"""Seconds: an absurdly short lifetime must not become a stream of logins."""


def lifetime(token: str, now: datetime) -> float:
    """Seconds for which a JWT will live, from its ``exp`` and ``iat`` or our wall time."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"]) - float(claims.get("iat", now.timestamp()))
    except (IndexError, KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        return DEFAULT_LIFETIME


class TokenOwner:
    """Keeps ``current`` usable while ``run`` is running."""

    def __init__(
        self,
        log_in: Callable[[], Awaitable[str]],
        now: Callable[[], datetime],
        chance: random.Random,
    ) -> None:
        self._log_in = log_in
        self._now = now
        self._chance = chance
        self.current = ""
        self.logins = 0
        # Set when somebody needs a new token, and replaced when there is one.
        self._wanted = trio.Event()
        self._renewed = trio.Event()
        self._failed = trio.Event()
        self._failure: BrokerError | None = None
        self._renew_at = float("inf")
        self._pressure = 0
        self._forced_at = float("-inf")

    async def first(self) -> None:
        """The login with which a session opens; raises BrokerError."""
        await self._accept()

    def request(self, stale: str) -> None:
        """Have a token replaced that was not accepted; nothing happens if it already was."""
        if stale == self.current:
            self._wanted.set()

    def logged_out(self) -> None:
        """The gateway ended our session: whatever login follows shall be in no hurry."""
        self._press()

    async def renewed(self, stale: str) -> None:
        """Return when ``current`` is no longer ``stale``; LoginRejected if it never will be."""
        self.request(stale)
        while self.current == stale:
            if self._failure is not None:
                raise self._failure
            await self._renewed.wait()

    async def wait_failed(self) -> None:
        """Return only by raising: the login was rejected for good."""
        await self._failed.wait()
        assert self._failure is not None
        raise self._failure

    async def run(self) -> None:
        """Log in again whenever asked or before the token expires; ends when rejected."""
        while True:
            with trio.move_on_at(self._renew_at):
                await self._wanted.wait()
                await self._hold_back()
            if not await self._persist():
                return

    async def _hold_back(self) -> None:
        lately = self._press()
        await trio.sleep(GAPS[min(lately, len(GAPS) - 1)])

    def _press(self) -> int:
        """Note a logout or a login forced upon us; answers how many there were lately."""
        now = trio.current_time()
        if now - self._forced_at > CALM_AFTER:
            self._pressure = 0
        lately, self._pressure, self._forced_at = self._pressure, self._pressure + 1, now
        return lately

    async def _persist(self) -> bool:
        """Log in, trying again while the gateway cannot be asked; False when it said no."""
        tries = 0
        while True:
            try:
                await self._accept()
            except LoginRejected as error:
                self._failure = error
                self._failed.set()
                self._renewed.set()
                return False
            except BrokerError as error:
                asked = error.retry_after if isinstance(error, RateLimited) else None
                await trio.sleep(asked or min(2**tries, 30) * self._chance.uniform(0.5, 1.5))
                tries += 1
            else:
                return True

    async def _accept(self) -> None:
        token = await self._log_in()
        self.logins += 1
        self.current = token
        lives = max(lifetime(token, self._now()) * 0.9, SHORTEST_RENEWAL)
        self._renew_at = trio.current_time() + lives
        self._wanted = trio.Event()
        renewed, self._renewed = self._renewed, trio.Event()
        renewed.set()
