"""The SignalR session: records in, records out."""

import json
from typing import Any

import pytest

from simulator.hub import HubProtocolError, HubSession

RS = b"\x1e"


def session(hub: str = "user") -> HubSession:
    return HubSession("id", hub, "trader", lambda it: it == 1001, lambda it: it == "NQ")


def shaken(hub: str = "user") -> HubSession:
    talk = session(hub)
    assert talk.receive(b'{"protocol":"json","version":1}' + RS) == [b"{}" + RS]
    return talk


def say(talk: HubSession, **record: Any) -> list[dict[str, Any]]:
    return [json.loads(it[:-1]) for it in talk.receive(json.dumps(record).encode() + RS)]


@pytest.mark.parametrize("version", [0, 1])
def test_the_handshake_takes_both_versions(version: int) -> None:
    """Some clients say version 0."""
    talk = session()
    talk.receive(b'{"protocol":"json","version":%d}' % version + RS)
    assert talk.handshaken


@pytest.mark.parametrize(
    "text", [b'{"protocol":"messagepack","version":1}', b"hello", b"[]", b"{}"]
)
def test_another_handshake_ends_the_connection(text: bytes) -> None:
    """The reason is said in the error."""
    with pytest.raises(HubProtocolError):
        session().receive(text + RS)


def test_an_invocation_with_an_id_is_completed() -> None:
    """The completion carries the id, and the subscription is in place."""
    talk = shaken()
    answer = say(talk, type=1, target="SubscribeOrders", arguments=[1001], invocationId="7")
    assert answer == [{"type": 3, "invocationId": "7", "result": None}]
    assert ("GatewayUserOrder", 1001) in talk.subscriptions


def test_an_invocation_without_an_id_is_not_answered() -> None:
    """Fire and forget, also when it is wrong."""
    talk = shaken()
    assert say(talk, type=1, target="SubscribeOrders", arguments=[1001]) == []
    assert say(talk, type=1, target="Nonsense", arguments=[]) == []


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("Nonsense", []),
        ("SubscribeOrders", []),
        ("SubscribeOrders", [1002]),
        ("SubscribeOrders", ["1001; drop"]),
        ("SubscribeOrders", [[]]),
        ("SubscribeOrders", [10**400]),
        ("SubscribeContractQuotes", ["NQ"]),
        ("SubscribeSubscribeOrders", [1001]),
        (7, []),
        ("SubscribeOrders", "1001"),
    ],
)
def test_a_wrong_invocation_gets_an_error_completion(target: object, arguments: object) -> None:
    """The connection goes on."""
    talk = shaken()
    (answer,) = say(talk, type=1, target=target, arguments=arguments, invocationId="7")
    assert answer["error"]
    assert talk.subscriptions == set()


def test_the_unknown_method_heartbeat_is_accepted() -> None:
    """The SDK invokes it every ten seconds."""
    (answer,) = say(shaken(), type=1, target="Heartbeat", arguments=[], invocationId="1")
    assert "error" not in answer


def test_records_may_share_a_frame_or_come_in_pieces() -> None:
    """Handshake and invocations in one frame; a record cut in two."""
    talk = session("market")
    whole = b'{"protocol":"json","version":1}' + RS
    whole += b'{"type":1,"target":"SubscribeContractQuotes","arguments":["NQ"]}' + RS
    assert talk.receive(whole[:50]) == [b"{}" + RS]
    talk.receive(whole[50:])
    assert talk.subscriptions == {("GatewayQuote", "NQ")}


def test_unsubscribing_takes_back_what_was_subscribed() -> None:
    """The market hub forgets the contract."""
    talk = shaken("market")
    say(talk, type=1, target="SubscribeContractQuotes", arguments=["NQ"])
    say(talk, type=1, target="UnsubscribeContractQuotes", arguments=["NQ"])
    assert talk.subscriptions == set()


def test_garbage_after_the_handshake_ends_the_connection() -> None:
    """A record that is no JSON object, and one that never ends."""
    for garbage in (b"{" + RS, b"3" + RS, b"\xff\xfe" + RS, b"[" * 100_000 + RS):
        with pytest.raises(HubProtocolError):
            shaken().receive(garbage)
    with pytest.raises(HubProtocolError):
        shaken().receive(b"x" * 2_000_000)


def test_goodbye_and_pings() -> None:
    """A ping needs no answer, a close record closes."""
    talk = shaken()
    assert say(talk, type=6) == []
    assert not talk.closed
    say(talk, type=7)
    assert talk.closed
