"""A proxy that delays: what a distant server, such as Binder's, feels like."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class DelayProxy:
    """Passes connections on to a port of the loopback; everything takes `seconds` more, there and back.

    Half of the delay lies on the way there, half on the way back. Nothing is held up by what came before:
    bytes are as late as each other.
    """

    def __init__(self, port: int, seconds: float) -> None:
        self._target, self._delay = port, seconds / 2
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self.port = 0
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait(10)

    @property
    def url(self) -> str:
        """Where a browser finds the delayed server."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop listening."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        with contextlib.suppress(asyncio.CancelledError):  # asyncio would report it at the end
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await waiting.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if not data:
                    break
                target.write(data)
                await target.drain()

        delivery = asyncio.ensure_future(deliver())
        try:
            while True:
                data = await source.read(1 << 16)
                waiting.put_nowait((self._loop.time() + self._delay, data))
                if not data:
                    break
            await delivery
        except (ConnectionError, asyncio.CancelledError):
            delivery.cancel()
        finally:
            target.close()
