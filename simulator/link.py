"""One WebSocket of a hub client: its queue, and what faults do to it.

Frames wait in a list; whatever is there when the socket is free goes out in one write. A client that
does not read is cut off when too much waits.
"""

import socket
import struct
from collections.abc import Callable

import trio
from attrs import define, field
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
from wsproto.utilities import LocalProtocolError

from simulator.faults import (
    CloseHubs,
    DropHubs,
    GarbageFrame,
    GarbagePayload,
    HalfOpen,
    HubFault,
    LogoutPush,
    ResetHubs,
    Stall,
)
from simulator.hub import LARGEST, PING, HubProtocolError, HubSession, goodbye, invocation

Note = Callable[[float], object]
"""Told the monotonic time just before a frame is written."""

MOST_WAITING = 64 * 1024 * 1024
PING_EVERY = 15.0
HANDSHAKE_WITHIN = 15.0
LAST_WORDS_WITHIN = 1.0
_RST = struct.pack("ii", 1, 0)


def text_frame(payload: bytes) -> bytes:
    """An unmasked, final text frame (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2) + payload
    return b"\x81\x7f" + size.to_bytes(8) + payload


@define(eq=False)
class Link:
    """A hub connection; changed by its own tasks, the gateway's pushes and faults."""

    stream: trio.SocketStream
    session: HubSession
    monotonic: Callable[[], float]
    opened: float
    frames: int = 0
    """Frames handed to the socket."""
    half_open: bool = False
    _waiting: list[tuple[bytes, Note | None]] = field(factory=list)
    _waiting_bytes: int = 0
    _wake: trio.Event = field(factory=trio.Event)
    _stalled_until: float = float("-inf")
    _ending: bool = False
    _text: list[bytes] = field(factory=list)
    _text_bytes: int = 0

    def push(self, records: bytes, note: Note | None = None) -> None:
        """Queue records as one frame."""
        self._queue(text_frame(records), note)

    def _queue(self, frame: bytes, note: Note | None = None) -> None:
        if self._ending or self.half_open:
            return
        self._waiting.append((frame, note))
        self._waiting_bytes += len(frame)
        if self._waiting_bytes > MOST_WAITING:
            self.cut()
        self._wake.set()

    def cut(self, *, reset: bool = False) -> None:
        """Close the socket under everybody's feet."""
        self._ending = True
        if reset:
            self.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        self.stream.socket.close()

    def finish(self, record: bytes) -> None:
        """Say goodbye, write what waits, and end."""
        self.push(record)
        self._queue(b"\x88\x02\x03\xe8")
        self._ending = True
        self._wake.set()

    # --- faults

    def strike(self, fault: HubFault) -> None:
        """Let a fault hit this connection, if it is meant."""
        if not fault.concerns(self.session.hub, self.session.user):
            return
        match fault:
            case DropHubs() | ResetHubs():
                self.cut(reset=isinstance(fault, ResetHubs))
            case HalfOpen():
                self.half_open = True
            case Stall():
                self._stalled_until = self.monotonic() + (fault.duration or 5.0)
            case CloseHubs():
                self.finish(goodbye(fault.error, allow_reconnect=fault.allow_reconnect))
            case GarbageFrame():
                self._queue(text_frame(fault.text.encode()))
            case GarbagePayload():
                self.push(invocation(fault.event, fault.payload))
            case LogoutPush():
                self.push(invocation("GatewayLogout", {"reason": fault.reason}))
            case _:
                raise TypeError(f"{fault.name} does nothing to a connection")

    # --- tasks

    async def run(self, trailing: bytes) -> None:
        """Serve the connection until either side ends it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write, nursery.cancel_scope)
            nursery.start_soon(self._ping)
            nursery.start_soon(self._expect_handshake)
            await self._read(trailing)
            if self._ending:
                await trio.sleep(LAST_WORDS_WITHIN)  # the writer ends it sooner
            nursery.cancel_scope.cancel()

    async def _read(self, data: bytes) -> None:
        connection = Connection(ConnectionType.SERVER)
        while not self._ending:
            if data and not self.half_open and not self._take(connection, data):
                return
            data = await self.stream.receive_some(65536)
            if not data:
                return

    def _take(self, connection: Connection, data: bytes) -> bool:
        """Handle what arrived; False when the connection is over."""
        try:
            connection.receive_data(data)
            for event in connection.events():
                if isinstance(event, Ping):
                    self._queue(connection.send(event.response()))
                elif isinstance(event, CloseConnection):
                    self._queue(connection.send(event.response()))
                    self._ending = True
                    return False
                elif isinstance(event, TextMessage | BytesMessage):
                    self._take_message(event)
        except HubProtocolError as error:
            self.finish(goodbye(str(error), allow_reconnect=False))
            return False
        except LocalProtocolError:
            self._ending = True
            return False
        return not self._ending

    def _take_message(self, event: TextMessage | BytesMessage) -> None:
        data = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
        self._text.append(data)
        self._text_bytes += len(data)
        if self._text_bytes > LARGEST:
            raise HubProtocolError("the message is too long")
        if not event.message_finished:
            return
        whole = b"".join(self._text)
        self._text, self._text_bytes = [], 0
        answers = self.session.receive(whole)
        if answers:
            self.push(b"".join(answers))
        if self.session.closed:
            self._ending = True
            self._wake.set()

    async def _write(self, over: trio.CancelScope) -> None:
        while True:
            stall = self._stalled_until - self.monotonic()
            if stall > 0:
                await trio.sleep(stall)
                continue
            if self.half_open:
                await trio.sleep_forever()
            if self._waiting:
                await self._write_out()
            elif self._ending:
                over.cancel()
                return
            else:
                self._wake = trio.Event()
                await self._wake.wait()

    async def _write_out(self) -> None:
        batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
        now = self.monotonic()
        for _, note in batch:
            if note is not None:
                note(now)
        self.frames += len(batch)
        await self.stream.send_all(b"".join(frame for frame, _ in batch))

    async def _ping(self) -> None:
        while True:
            await trio.sleep(PING_EVERY)
            if self.session.handshaken:
                self.push(PING)

    async def _expect_handshake(self) -> None:
        await trio.sleep(HANDSHAKE_WITHIN)
        if not self.session.handshaken:
            self.finish(goodbye("no handshake arrived in time", allow_reconnect=False))
