"""familybotctl as an operator reads it."""

import time

import pytest


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
