"""A TCP proxy before a server, whose line can be made bad while it runs.

Modes: pass; hang (bytes are taken and go nowhere, connections stay open); drip
(answers come a byte at a time, 20 ms apart); slow (each answer 300 ms late);
stop (connections are reset, new ones refused).  Runs as a process of its own:
`shard_proxy.py UPSTREAM-PORT`, tells its port, then reads modes from standard
input until that ends.
"""

import asyncio
import socket
import struct
import subprocess
import sys

MODES = ("pass", "hang", "drip", "slow", "stop")


class Proxy:
    """Used by tests: starts the process and tells it modes."""

    def __init__(self, upstream):
        self.process = subprocess.Popen([sys.executable, __file__, str(upstream)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def mode(self, mode):
        assert mode in MODES
        self.process.stdin.write(mode + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == mode

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Line:
    """What runs in the process."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.mode = "pass"
        self.changed = asyncio.Event()
        self.writers = set()
        self.server = None
        self.port = 0

    async def listen(self):
        self.server = await asyncio.start_server(self.take, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def open_again(self):
        while self.mode == "hang":
            self.changed.clear()
            await self.changed.wait()

    async def pump(self, reader, writer, answers):
        try:
            while data := await reader.read(65536):
                await self.open_again()
                if answers and self.mode == "slow":
                    await asyncio.sleep(0.3)
                while answers and self.mode == "drip" and data and not writer.is_closing():
                    writer.write(data[:1])
                    data = data[1:]
                    await asyncio.sleep(0.02)
                await self.open_again()
                if writer.is_closing():
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def take(self, reader, writer):
        await self.open_again()
        try:
            to_server = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.close()
            return
        self.writers |= {writer, to_server[1]}
        for one in (writer, to_server[1]):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(self.pump(reader, to_server[1], False),
                             self.pump(to_server[0], writer, True))
        self.writers -= {writer, to_server[1]}

    async def go(self, mode):
        was, self.mode = self.mode, mode
        if mode == "stop" and self.server:
            self.server.close()
            self.server = None
            for writer in list(self.writers):   # reset, not closed politely
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
        elif was == "stop":
            await self.listen()
        self.changed.set()


async def main():
    line = Line(int(sys.argv[1]))
    await line.listen()
    print(line.port, flush=True)
    while word := await asyncio.to_thread(sys.stdin.readline):
        await line.go(word.strip())
        print(word.strip(), flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
