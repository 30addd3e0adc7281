"""A network that fails, on the loopback: in front of a server, refusing, silent, cutting off."""

import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self


class Mood(StrEnum):
    """What the proxy does with a connection."""

    PASSES = "passes"
    REFUSES = "refuses"
    SWALLOWS = "black hole"
    RESETS = "resets"
    DRIPS = "drips"
    LOSES_ANSWERS = "loses answers"


DRIP_SECONDS = 0.5
CHUNK = 65536


@dataclass
class Proxy:
    """Passes connections on to a port, or does not, as its mood is at the moment.

    `REFUSES` closes the port itself; `SWALLOWS` takes requests and answers nothing; `RESETS` cuts
    a connection off once something was sent; `DRIPS` answers a byte every half second;
    `LOSES_ANSWERS` passes a request on, and cuts off before the answer.
    """

    target: int
    mood: Mood = Mood.PASSES
    port: int = 0
    taken: int = 0
    _listener: socket.socket | None = None
    _open: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def turn(self, mood: Mood) -> None:
        """Change the mood; connections that are open are cut off."""
        self._close()
        self.mood = mood
        if mood is not Mood.REFUSES:
            self._listen()

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = int(listener.getsockname()[1])
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _close(self) -> None:
        with self._lock:
            sockets, self._open = self._open, []
            if self._listener:
                sockets.append(self._listener)
                self._listener = None
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.append(client)
                self.taken += 1
            threading.Thread(target=self._serve, args=(client, self.mood), daemon=True).start()

    def _serve(self, client: socket.socket, mood: Mood) -> None:
        with suppress(OSError):
            if mood is Mood.SWALLOWS:
                while client.recv(CHUNK):
                    pass
                return
            if mood is Mood.RESETS:
                client.recv(1)
                _reset(client)
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                with self._lock:
                    self._open.append(server)
                up = threading.Thread(target=_copy, args=(client, server), daemon=True)
                up.start()
                if mood is Mood.LOSES_ANSWERS:
                    server.recv(1)
                    _reset(client)
                else:
                    _copy(server, client, drip=mood is Mood.DRIPS)


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def _copy(source: socket.socket, target: socket.socket, *, drip: bool = False) -> None:
    with suppress(OSError):
        while content := source.recv(1 if drip else CHUNK):
            target.sendall(content)
            if drip:
                time.sleep(DRIP_SECONDS)
        target.shutdown(socket.SHUT_WR)
