"""The only requests that change anything at the broker: close, reduce, cancel.

They travel over the warm pool and answer an outcome; they never raise and are never repeated here,
because only fresh state can tell whether a repetition is right.
"""

import json
from collections.abc import Mapping

from broker.pool import Answer, Lost, Pool
from broker.port import Done, NotExecuted, Outcome, Refused, Unknown
from broker.redaction import redact

ANSWER_WITHIN = 5.0
"""Seconds after which a request's outcome is unknown."""


def outcome_of(result: Answer | Lost) -> Outcome:
    """What an answer, or the lack of one, means for the request."""
    if isinstance(result, Lost):
        return Unknown(result.reason) if result.sent else NotExecuted(result.reason)
    if result.status == 200:
        return _outcome_of_body(result.body)
    if result.status == 401:
        return NotExecuted("the gateway does not accept this session's token (401)")
    if result.status == 429:
        return NotExecuted("too many requests (429)", _retry_after(result.headers))
    if 400 <= result.status < 500 and result.status != 408:
        return Refused(result.status, f"HTTP {result.status}")
    return Unknown(f"HTTP {result.status}")


def _outcome_of_body(body: bytes) -> Outcome:
    try:
        said = json.loads(body)
    except ValueError:
        return Unknown("the answer is not JSON")
    if not isinstance(said, dict) or not isinstance(said.get("success"), bool):
        return Unknown("the answer does not say whether it succeeded")
    if said["success"]:
        return Done()
    code = said.get("errorCode")
    message = redact(str(said.get("errorMessage") or ""))[:200]
    return Refused(code if isinstance(code, int) else -1, message)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return max(float(headers.get("retry-after", "")), 0.0)
    except ValueError:
        return None


async def mutate(pool: Pool, path: str, payload: Mapping[str, object], token: str) -> Outcome:
    """Send one request; finished or given up within ``ANSWER_WITHIN``, whoever is cancelled."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    return outcome_of(await pool.post(path, body, token, ANSWER_WITHIN))
