"""familybotctl as an operator reads it."""

import json
import sqlite3
import time

import pytest

from harness import SLOTS


def ctl(stack, *words, **env):
    done = stack.program("familybotctl", *words, **env)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def webhook(sqlite):
    """The double's webhook as it was before."""
    kept, error = dict(sqlite.double.webhook), sqlite.double.last_error
    yield sqlite
    sqlite.double.webhook, sqlite.double.last_error = kept, error


@pytest.mark.parametrize("url, words", [
    ("", "set public_url"),
    ("http://family.example", "https:// only"),
    ("https://family.example:444", "443, 80, 88 and 8443"),
])
def test_an_address_that_telegram_would_not_call_is_refused(webhook, url, words):
    before = len(webhook.double.calls("setWebhook"))
    code, out, err = ctl(webhook, "webhook", "set", *(["--url", url] if url else []))
    assert code != 0 and words in err and not out
    assert len(webhook.double.calls("setWebhook")) == before


def test_webhook_set_says_what_telegram_was_told(webhook):
    code, out, err = ctl(webhook, "webhook", "set", "--url", "https://family.example:8443/",
                         "--max-connections", "4")
    assert code == 0, err
    call = webhook.double.calls("setWebhook")[-1]
    assert call.params["url"] == "https://family.example:8443/api/webhook"
    assert call.params["max_connections"] == 4
    assert call.params["url"] in out and "at most 4 at once" in out
    for kind in call.params["allowed_updates"]:
        assert kind in out
    assert webhook.secret not in out + err


def test_webhook_info_says_first_what_is_wrong(webhook):
    ctl(webhook, "webhook", "set", "--url", "https://family.example")
    assert ctl(webhook, "webhook", "info")[1].startswith("The webhook is well.\n")
    code, out, _ = ctl(webhook, "webhook", "info", PUBLIC_URL="https://other.example")
    assert code == 0 and "SHOULD BE     https://other.example/api/webhook" in out
    webhook.double.webhook["allowed_updates"] = ["message"]
    webhook.double.last_error = (int(time.time()) - 200,
                                 "Wrong response from the webhook: 502 Bad Gateway")
    code, out, _ = ctl(webhook, "webhook", "info")
    assert code == 0 and out.startswith("PROBLEM: ")
    assert "MISSING       edited_message, callback_query, my_chat_member" in out
    assert "3 min ago" in out and "the pool does not" in out
    ctl(webhook, "webhook", "delete")
    assert ctl(webhook, "webhook", "info")[1].startswith("No webhook is set")


def test_no_jobs_is_said_in_words(sqlite):
    assert ctl(sqlite, "jobs", "list", "--state", "leased") == (0, "No job is leased.\n", "")
    assert ctl(sqlite, "jobs", "list", "--state", "never")[0] == 64


def shard_write(stack, person, sql, rows):
    db = sqlite3.connect(stack.state / f"data/shard{person.id % stack.nshards}.db", timeout=10)
    with db:
        db.executemany(sql, rows)
    db.close()


def dead_letters(stack, person, letters):
    """letters: {id: when it was made}"""
    shard_write(stack, person,
                "INSERT INTO jobs (id, user_id, slot, state, kind, payload, run_at, tries,"
                " lease_token, lease_until, created_at, done_at, last_error)"
                " VALUES (?, ?, ?, 3, 'send', ?, 1, 8, 0, 0, ?, 1, 'gone')",
                [(i, person.id, person.id % SLOTS, json.dumps(
                    {"method": "sendMessage", "chat_id": person.chat.id, "text": i}), at)
                 for i, at in letters.items()])


def test_a_dead_letter_is_found_by_its_id_among_thousands(sqlite):
    p = sqlite.person()
    p.says("/help")
    old = f"send:{p.id}:old"
    newer = {f"send:{p.id}:new{i}": 1000 + i for i in range(1100)}
    dead_letters(sqlite, p, {old: 1, "named-after-nobody": 2, **newer})
    try:
        assert ctl(sqlite, "jobs", "requeue", old) == (0, "requeued: 1\n", "")
        p.hears(old, timeout=10)
        assert ctl(sqlite, "jobs", "drop", "named-after-nobody") == (0, "dropped: 1\n", "")
        for gone in "named-after-nobody", old:
            code, out, err = ctl(sqlite, "jobs", "drop", gone)
            assert code == 66 and out == "dropped: 0\n" and gone in err
    finally:
        shard_write(sqlite, p, "DELETE FROM jobs WHERE id = ?", [(i,) for i in newer])
