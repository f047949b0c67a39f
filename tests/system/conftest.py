"""Fixtures: one running stack for each back end, shared by all tests; each
test brings people of its own.  After each test: aiogram must have had nothing
to complain about, Telegram must have refused nothing that the test did not
expect, and no process may have died of a signal that the test did not send.
"""

import contextlib
import os
import re
import tempfile
from pathlib import Path

import pytest

from harness import MongoServer, Stack

CRASH = re.compile(r"AddressSanitizer|runtime error:|LeakSanitizer|killed by signal (?!9\b)|"
                   r"Segmentation fault|Assertion .* failed|SIGSEGV|SIGABRT")
_stacks = {}


@pytest.fixture(scope="session")
def mongo_server():
    with tempfile.TemporaryDirectory(prefix="fbmongo-") as directory:
        server = MongoServer(directory)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def get_stack(request):
    def get(backend):
        if backend not in _stacks:
            mongo = request.getfixturevalue("mongo_server") if backend == "mongo" else None
            stack = Stack(backend, mongo=mongo)
            _stacks[backend] = stack
            stack.start()
        return _stacks[backend]
    yield get
    for stack in _stacks.values():
        stack.stop()
        if not os.environ.get("FAMILYBOT_KEEP"):
            stack.remove()


@pytest.fixture
def new_stack(request):
    """Stacks that a test starts for itself, and may break."""
    made = []

    def make(start=True, **how):
        if how.get("backend") == "mongo" and "mongo" not in how:
            how["mongo"] = request.getfixturevalue("mongo_server")
        made.append(Stack(**how))
        if start:
            made[-1].start()
        return made[-1]
    yield make
    with contextlib.ExitStack() as ends:	# whatever is judged, nothing goes on running
        for stack in made:
            ends.callback(_end, stack)
        for stack in made:
            _judge(stack, request, 0, 0)


def _end(stack):
    stack.stop()
    if not os.environ.get("FAMILYBOT_KEEP"):
        stack.remove()


def _judge(stack, request, complaints, refusals):
    double = stack.double
    assert double.complaints[complaints:] == [], "what aiogram or the form says against it"
    marker = request.node.get_closest_marker("refused")
    expected = marker.args if marker else ()
    wrong = [f"{c.method}: {c.error}" for c in double.refusals[refusals:]
             if "is not modified" not in c.error
             and not any(words in c.error for words in expected)]
    assert wrong == [], "what Telegram refused"
    crash = CRASH.search(stack.logs())
    assert not crash, f"a process died: {crash.group()}"
    cores = [p for p in Path(stack.directory).rglob("core*") if p.is_file()]
    assert cores == [], "core files"


def _judged(stack, request):
    complaints, refusals = len(stack.double.complaints), len(stack.double.refusals)
    yield stack
    stack.double.faults.clear()
    stack.double.rate_chat = stack.double.rate_all = None
    _judge(stack, request, complaints, refusals)


@pytest.fixture
def sqlite(get_stack, request):
    yield from _judged(get_stack("sqlite"), request)


@pytest.fixture
def mongo(get_stack, request):
    yield from _judged(get_stack("mongo"), request)


@pytest.fixture(params=["sqlite", "mongo"])
def stack(get_stack, request):
    yield from _judged(get_stack(request.param), request)


@pytest.fixture
def double(stack):
    return stack.double


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A test that fails shows what its stack logged last."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Stack):
                report.sections.append((f"log of {value.backend}", value.last_words()))
    return report


def pytest_configure(config):
    config.addinivalue_line("markers",
                            "refused(words...): Telegram's words that this test provokes")


def pytest_terminal_summary(terminalreporter):
    counts = {k: len(terminalreporter.stats.get(k, ()))
              for k in ("passed", "failed", "error", "skipped")}
    taken = sum(len(s.double.deliveries) for s in _stacks.values())
    calls = sum(len(s.double.journal) for s in _stacks.values())
    terminalreporter.write_line(
        f"system: {counts['passed']} passed, {counts['failed'] + counts['error']} failed, "
        f"{counts['skipped']} skipped; {taken} updates delivered, {calls} calls of the bot checked")
