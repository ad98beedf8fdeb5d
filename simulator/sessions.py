"""Who may log in, and the tokens they get: JWTs like the live gateway's, kept in a table here.

A token's times are the machine's own, not the simulated clock's: clients judge ``exp`` by theirs.
"""

import base64
import hashlib
import hmac
import json
import random
from collections import deque
from datetime import datetime, timedelta

from attrs import Factory, define, field, frozen

LIFETIME = timedelta(hours=24)
WINDOW = 60.0
"""Seconds over which requests of a login are counted."""


@frozen
class User:
    """A login of the gateway."""

    name: str
    api_key: str | None = field(default=None, repr=False)
    """None: any key."""
    account_ids: tuple[int, ...] | None = None
    """None: every account."""


@define(eq=False)
class Traffic:
    """Requests of one user within the last minute."""

    times: deque[float] = Factory(deque)
    peak: int = 0
    """Most requests within any 60 s so far."""

    def count(self, monotonic: float) -> int:
        """Requests in the 60 s up to now."""
        while self.times and self.times[0] <= monotonic - WINDOW:
            self.times.popleft()
        return len(self.times)

    def note(self, monotonic: float) -> int:
        """One more request; the count with it."""
        self.count(monotonic)
        self.times.append(monotonic)
        self.peak = max(self.peak, len(self.times))
        return len(self.times)


@frozen
class Ticket:
    """A valid token's owner and end."""

    user: User
    expires: datetime


class Sessions:
    """Users, their tokens and their traffic."""

    def __init__(
        self, users: dict[str, User] | None, chance: random.Random, lifetime: timedelta = LIFETIME
    ) -> None:
        """``users`` None lets any name and key in."""
        self._users = users
        self._chance = chance
        self._secret = chance.randbytes(32)
        self._lifetime = lifetime
        self._tickets: dict[str, Ticket] = {}
        self.traffic: dict[str, Traffic] = {}

    def login(self, name: str, api_key: str, now: datetime) -> str | None:
        """A new token, None when name or key are wrong; ``now`` is the machine's time."""
        user = User(name) if self._users is None else self._users.get(name)
        if user is None or not name or not api_key:
            return None
        if user.api_key is not None and not hmac.compare_digest(
            user.api_key.encode(), api_key.encode()
        ):
            return None
        return self._issue(user, now)

    def owner(self, token: str, now: datetime) -> User | None:
        """Whose token this is; None when unknown, revoked or expired."""
        ticket = self._tickets.get(token)
        return ticket.user if ticket is not None and now < ticket.expires else None

    def renew(self, token: str, now: datetime) -> str:
        """A further token for the owner of a valid one."""
        return self._issue(self._tickets[token].user, now)

    def revoke(self, token: str) -> None:
        """End one token."""
        self._tickets.pop(token, None)

    def revoke_all(self, name: str | None) -> None:
        """End every token of a user, of all users for None."""
        gone = [it for it, ticket in self._tickets.items() if name in (None, ticket.user.name)]
        for token in gone:
            del self._tickets[token]

    def traffic_of(self, name: str) -> Traffic:
        """The request counts of a user."""
        return self.traffic.setdefault(name, Traffic())

    def _issue(self, user: User, now: datetime) -> str:
        expires = now + self._lifetime
        claims = {
            "sub": str(1 + int.from_bytes(hashlib.sha256(user.name.encode()).digest()[:3])),
            "name": user.name,
            "jti": f"{self._chance.getrandbits(128):032x}",
            "iat": int(now.timestamp()),
            "exp": int(expires.timestamp()),
            "iss": "simulated-gateway",
        }
        signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        signature = hmac.new(self._secret, signed.encode(), hashlib.sha256).digest()
        token = f"{signed}.{_base64(signature)}"
        self._tickets[token] = Ticket(user, expires)
        return token


def _encoded(part: dict[str, object]) -> str:
    return _base64(json.dumps(part, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
