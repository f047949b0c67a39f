"""roundtrips.py - how many times familybot asks MongoDB for one entry.

A proxy between the two counts the wire protocol's messages; what drivers say
on their own (hello) is left out, for it is not part of an update.
"""

import asyncio
import shutil
import struct
import threading
import time

from measure import PHRASES, wrk
from stacks import FamilybotMongo

HELLO = (b"\x10hello\x00", b"\x10isMaster\x00", b"\x10ismaster\x00",
         b"\x01hello\x00", b"\x08hello\x00", b"\x08isMaster\x00",
         b"\x01isMaster\x00", b"\x10ping\x00")


class CountingProxy:
    """Forwards a free port of 127.0.0.1 to another; a thread of its own."""

    def __init__(self, target):
        self.target = target
        self.count = 0
        self.port = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._client, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _client(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection(
            "127.0.0.1", self.target)
        await asyncio.gather(self._requests(reader, up_writer),
                             self._answers(up_reader, writer),
                             return_exceptions=True)

    async def _requests(self, reader, writer):
        try:
            while True:
                head = await reader.readexactly(16)
                length = struct.unpack("<i", head[:4])[0]
                body = await reader.readexactly(length - 16)
                if not any(h in body[:64] for h in HELLO):
                    self.count += 1
                writer.write(head + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    async def _answers(self, reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


class Proxied(FamilybotMongo):
    def prepare(self):
        self.proxy = None
        super().prepare()
        self.proxy = CountingProxy(self.server.port)
        self.configure()	# the processes go through the proxy

    def uris(self):
        if self.proxy is None:
            return super().uris()
        return [f"mongodb://127.0.0.1:{self.proxy.port}/bench{i}"
                for i in range(3)]

    def start_worker(self, env):
        """None: it would be counted."""

    def stop(self):
        super().stop()
        if self.proxy:
            self.proxy.stop()


def measure_roundtrips(bench):
    """Messages to the server for one recorded entry."""
    stack = Proxied("mongo-proxied", bench)
    try:
        stack.start(bench.work / "roundtrips")
        # Connections and indexes of every process come first.
        wrk(stack, PHRASES["one"], 2, "measure", 1)
        time.sleep(0.2)
        before = stack.proxy.count
        # Few connections: what is in flight at the end is counted as well.
        r = wrk(stack, PHRASES["one"], 3, "measure", 50_000_000, connections=2)
        time.sleep(0.2)
        return (stack.proxy.count - before) / max(1, r["requests"])
    finally:
        stack.stop()
        shutil.rmtree(stack.state, ignore_errors=True)
