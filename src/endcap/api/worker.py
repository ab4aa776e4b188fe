"""
One worker: the application on uvicorn, told by its supervisor when to listen and when to go.

`python -m endcap.web.worker LISTENER CHANNEL` is how the supervisor starts it, with the numbers of two descriptors that
it inherits: the socket that all workers share, and its end of a channel. On the channel single bytes travel. A channel
that ends means that the supervisor is gone, so that no worker outlives it.

Draining cuts nothing that is on its way: whoever asks on an open connection is answered and told to ask elsewhere next
time, and a connection is closed only after it had time to ask.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from endcap.api.app import App
from endcap.api.protocol import StraightProtocol
from endcap.errors import Problem
from endcap.telemetry import log

LISTEN, HUSH, DRAIN = b"L", b"H", b"D"  # what a worker is told
BEAT, READY, QUIET = b"B", b"R", b"Q"  # what it tells; QUIET answers HUSH
TICK_SECONDS = 0.1
TICKS_PER_BEAT = 10

GRACE_SECONDS = 30.0  # what is in flight when the drain begins has this long to finish
LAST_ACCEPT_SECONDS = 0.05  # for connections that were made when the drain began
IDLE_SECONDS = 1.0  # how long a connection may stay silent in a drain
LOOK_SECONDS = 0.05
BACKLOG = 2_048
_CLOSE = (b"connection", b"close")


class Worker(uvicorn.Server):
    """Serves from the first LISTEN to DRAIN, or to SIGTERM or SIGINT."""

    def __init__(self, app: App, *, listener: socket.socket, channel: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=StraightProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
            )
        )
        self._app = app
        self._listener = listener
        self._channel = channel
        self._ears: asyncio.AbstractServer | None = None
        self._told_ready = False
        app.on_ready = self._on_ready
        listener.setblocking(False)
        channel.setblocking(False)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        self.started = True

    async def main_loop(self) -> None:
        """uvicorn's, but that a command is obeyed at once."""
        said = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._channel, said.set)
        counter = 0
        while not await self.on_tick(counter):
            said.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(said.wait(), TICK_SECONDS)
            counter += 1
        loop.remove_reader(self._channel)

    async def on_tick(self, counter: int) -> bool:
        for command in self._commands():
            if command == LISTEN:
                await self._listen()
            elif command == HUSH:
                self._hush()
                self._tell(QUIET)
            else:
                self.should_exit = True
        ends = await super().on_tick(counter)
        if not self._app.is_ready:
            self._close_after_answers()  # the next one may find a worker that is ready
        elif not self._told_ready:
            self._told_ready = True
            self._keep_open()
            self._tell(READY)
        if counter % TICKS_PER_BEAT == 0:
            self._tell(BEAT)
        return ends or self._app.has_failed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        state = self.server_state
        self._close_after_answers()
        if self._ears is not None:
            await asyncio.sleep(LAST_ACCEPT_SECONDS)
            await self._hush_for_good()
        self._listener.close()
        while (waited := loop.time() - began_at) < GRACE_SECONDS:
            if not state.connections and not state.tasks:
                break
            if waited >= IDLE_SECONDS:
                for connection in list(state.connections):
                    connection.shutdown()  # at once if it is idle, else after its answer
            await asyncio.sleep(LOOK_SECONDS)
        else:
            log.warning("drain took too long", connections=len(state.connections))
            for task in list(state.tasks):
                task.cancel()
        await self.lifespan.shutdown()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Both that may come mean the same as DRAIN. Reloading is for the supervisor, whatever a terminal sends."""

        def drain(number: int, frame: object) -> None:
            self.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, drain)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        yield

    async def _listen(self) -> None:
        if self._ears is None:
            loop = asyncio.get_running_loop()
            self._ears = await loop.create_server(
                self._connection, sock=self._listener.dup(), backlog=BACKLOG
            )

    def _hush(self) -> None:
        """Takes no more connections; those that are there stay."""
        if self._ears is not None:
            self._ears.close()
            self._ears = None

    async def _hush_for_good(self) -> None:
        """The last of all listeners would take along to its grave who was let in but not yet greeted."""
        self._hush()
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # nobody is left
                return
            connection.setblocking(False)
            await loop.connect_accepted_socket(self._connection, connection)

    def _close_after_answers(self) -> None:
        """Each answer says from now on, or until the next tick, that its connection ends with it."""
        state = self.server_state
        if _CLOSE not in state.default_headers:
            state.default_headers = [*state.default_headers, _CLOSE]

    def _on_ready(self) -> None:
        # What was loaded lives on: the collector need not walk hundreds of thousands of objects in a request's time.
        gc.collect()
        gc.freeze()
        self._keep_open()

    def _keep_open(self) -> None:
        state = self.server_state
        state.default_headers = [each for each in state.default_headers if each != _CLOSE]

    def _connection(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    def _commands(self) -> Sequence[bytes]:
        try:
            said = self._channel.recv(64)
        except BlockingIOError:
            return ()
        except OSError:
            return (DRAIN,)
        return [said[at : at + 1] for at in range(len(said))] or (DRAIN,)

    def _tell(self, what: bytes) -> None:
        try:
            self._channel.send(what)
        except OSError:  # nobody listens, or nobody has listened for long
            return


def main(make: Callable[[], App]) -> None:
    """The worker's process, serving an application that is made when it is time to."""
    listener, channel = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    for each in (listener, channel):
        os.set_inheritable(each.fileno(), False)
    try:
        app = make()
    except Problem as problem:
        log.error("cannot start", reason=str(problem), cause=str(problem.__cause__ or ""))
        sys.exit(STARTUP_FAILURE)
    Worker(app, listener=listener, channel=channel).run()
    if app.has_failed:
        sys.exit(STARTUP_FAILURE)
