"""A server that new people are moved to hangs while they move: nothing is lost, and what
it was told before it hung is waited out before it is told it again."""

import threading

from dead_shard import LinedStack, Load
from shard_proxy import Proxy
from test_shards import moved_some, mover, status, well


def test_a_move_outlasts_a_target_that_hangs(mongo_server):
    target = Proxy(mongo_server.port)
    stack = LinedStack(mongo_server, processes=3, shards=2).start()
    words = []
    try:
        load = Load(stack, 30, people=60)
        load.run(3)
        process = mover(stack, "reshard", "start", "--yes", "--placement", "minimal",
                        "--max-users-per-second", "6",
                        "--add", f"shard2=mongodb://127.0.0.1:{target.port}/fb{stack.port}_new")
        reader = threading.Thread(target=lambda: words.extend(process.stdout))
        reader.start()
        moved_some(stack, process)
        for mode in ("hang", "stop"):
            target.mode(mode)
            load.run(3)
            before = status(stack)["change"]["slots_moved"]
            load.run(1)
            assert status(stack)["change"]["slots_moved"] == before, "it waits"
            assert process.poll() is None
            target.mode("pass")
            stack.double.wait_for(lambda: status(stack)["change"]["slots_moved"] > before, 30,
                                  "the move to go on")
        well(stack, "reshard", "resume", "--max-users-per-second", "0")
        assert process.wait(60) == 0
        reader.join()
        assert any("may still run on a server" in line for line in words), words[-5:]
        load.drained()
        well(stack, "reshard", "cleanup", "--yes")
        well(stack, "verify", "--digests")
        load.close()
        load.judge()
    finally:
        target.mode("pass")
        stack.stop()
        stack.remove()
        target.close()
