/*
 * fuzz_datagram.c - what reaches the worker: the call in a datagram, or the
 * payload of a job, with all that the worker reads from it and makes of it;
 * and an answer of the Bot API.
 */
#include "config.h"

#include "fuzz.h"

#include "clients/telegram.h"
#include "queue/queue.h"

enum { CHAT = 4711 };

static void check_answer(const char *call, size_t len)
{
	static const long status[] = { 0, 200, 400, 403, 429, 500 };

	for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
		struct http_answer h = { .status = status[i], .error = "why" };
		struct tg_answer a;

		buf_init(&h.body, TG_ANSWER_MAX);
		buf_add(&h.body, call, len);
		telegram_classify(&h, &a);
		MUST(tg_verdict_name(a.verdict) != NULL);
		MUST(a.verdict != TG_WAIT || a.retry_after_s >= 1);
		MUST(memchr(a.description, '\0', sizeof(a.description)) != NULL);
		tg_answer_release(&a);
		buf_release(&h.body);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { .text = "" };
	const char *call = (const char *)data;
	char method[48];
	int64_t chat = 0;
	struct buf out;
	bool is_call;

	if (size > QUEUE_DATAGRAM_MAX)
		return 0;
	is_call = telegram_method(call, size, method, sizeof(method));
	MUST(!is_call || memchr(method, '\0', sizeof(method)) != NULL);
	(void)telegram_chat(call, size, &chat);
	buf_init(&out, 1 << 20);
	if (telegram_plain(call, size, &out, &e) == RC_OK)
		MUST(telegram_method(out.s, out.len, method,
		    sizeof(method)) == is_call);
	buf_clear(&out);
	if (telegram_to_chat(call, size, CHAT, &out, &e) == RC_OK) {
		MUST(telegram_chat(out.s, out.len, &chat));
		MUST(chat == CHAT);
	}
	buf_release(&out);
	check_answer(call, size);
	return 0;
}
