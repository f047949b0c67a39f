/* reply.c - see reply.h. */
#include "config.h"

#include "bot/reply.h"

#include <inttypes.h>
#include <string.h>

#include "bot/update.h"
#include "queue/queue.h"
#include "store/store.h"
#include "utils/json.h"
#include "utils/xalloc.h"

/* The first part is on its way to Telegram when the worker sends the second. */
enum { PART_GAP_MS = 400 };

void reply_init(struct reply *r)
{
	memset(r, 0, sizeof(*r));
}

void reply_release(struct reply *r)
{
	for (int i = 0; i < r->inited; i++) {
		buf_release(&r->messages[i].text);
		keyboard_release(&r->messages[i].kb);
	}
	memset(r, 0, sizeof(*r));
}

void reply_clear(struct reply *r)
{
	r->n = 0;
	r->toast[0] = '\0';
}

static struct buf *message(struct reply *r, bool edit)
{
	struct reply_message *m;

	if (r->n == REPLY_MESSAGES_MAX)
		return &r->messages[r->n - 1].text;
	m = &r->messages[r->n++];
	if (r->n > r->inited) {
		buf_init(&m->text, REPLY_TEXT_MAX);
		keyboard_init(&m->kb);
		r->inited = r->n;
	}
	buf_clear(&m->text);
	keyboard_clear(&m->kb);
	m->kb.stamp = r->stamp;
	m->kb.stamp_ctx = r->stamp_ctx;
	m->edit = edit;
	return &m->text;
}

struct buf *reply_send(struct reply *r)
{
	return message(r, false);
}

struct buf *reply_edit(struct reply *r)
{
	return message(r, true);
}

struct keyboard *reply_keyboard(struct reply *r)
{
	return &r->messages[r->n - 1].kb;
}

/* Bytes of html that make one visible character, its UTF-16 units in *units. */
static size_t next_char(const char *p, size_t *units)
{
	const unsigned char c = (unsigned char)*p;
	const char *end;

	*units = 1;
	if (c == '<' && (end = strchr(p, '>')) != NULL) {
		*units = 0;
		return (size_t)(end - p) + 1;
	}
	if (c == '&' && (end = strchr(p, ';')) != NULL && end - p < 8)
		return (size_t)(end - p) + 1;
	if (c < 0x80)
		return 1;
	if (c >= 0xf0)
		*units = 2;
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	return strnlen(p, n);
}

size_t html_utf16_len(const char *html)
{
	size_t len = 0, units;

	while (*html != '\0') {
		html += next_char(html, &units);
		len += units;
	}
	return len;
}

/* How many bytes of html fit into one message, cut after a line if need be. */
static size_t fitting(const char *html)
{
	size_t len = 0, units, line = 0, i = 0;

	while (html[i] != '\0') {
		size_t n = next_char(html + i, &units);
		if (len + units > TELEGRAM_TEXT_MAX)
			return line > 0 ? line : i;
		len += units;
		i += n;
		if (html[i - 1] == '\n')
			line = i;
	}
	return i;
}

/* A message of which Telegram tells no number or no date can no longer be
 * edited (it was deleted, or the button belongs to no chat): the answer to its
 * button is a new message, or the person would see nothing. */
static bool editable(const struct update *u)
{
	return u->message_id > 0 && u->date > 0;
}

static void put_call(struct buf *out, const struct update *u, bool edit,
    const char *text, size_t len, const struct keyboard *kb)
{
	buf_printf(out, "{\"method\":\"%s\",\"chat_id\":%" PRId64,
	    edit ? "editMessageText" : "sendMessage", u->chat_id);
	if (edit)
		buf_printf(out, ",\"message_id\":%" PRId64, u->message_id);
	else if (!u->private_chat && u->kind != UPDATE_CALLBACK)
		buf_printf(out, ",\"reply_parameters\":{\"message_id\":%" PRId64
		    ",\"allow_sending_without_reply\":true}", u->message_id);
	buf_puts(out, ",\"parse_mode\":\"HTML\","
	    "\"link_preview_options\":{\"is_disabled\":true},\"text\":");
	json_put_strn(out, text, len);
	if (kb != NULL && kb->total > 0) {
		buf_puts(out, ",\"reply_markup\":");
		keyboard_write(kb, out);
	}
	buf_putc(out, '}');
}

/* One part: into the answer if that is still free, else into the outbox. */
static enum rc put_part(const struct update *u, const char *call, size_t len,
    int *part, struct queue *q, struct store *st, int64_t now_ms,
    struct buf *answer, struct err *e)
{
	struct job *job;
	char key[64];
	enum rc rc;

	if ((*part)++ == 0 && answer != NULL) {
		buf_add(answer, call, len);
		return RC_OK;
	}
	job = xmalloc(sizeof(*job));
	if (u->kind == UPDATE_CALLBACK)
		str_format(key, sizeof(key), "c%s:%d", u->callback_id, *part);
	else
		str_format(key, sizeof(key), "m%" PRId64 ":%" PRId64 ":%" PRId64
		    ":%d", u->chat_id, u->message_id, u->edit_date, *part);
	rc = queue_send_job(job, u->user_id, key, call, len, now_ms +
	    (*part - 1) * PART_GAP_MS);
	if (rc == RC_OK)
		rc = queue_add(q, st, job, 1, e);
	free(job);
	return rc;
}

static void put_toast(const struct reply *r, const struct update *u,
    struct queue *q)
{
	struct buf call;

	buf_init(&call, 2048);
	buf_puts(&call, "{\"method\":\"answerCallbackQuery\","
	    "\"callback_query_id\":");
	json_put_str(&call, u->callback_id);
	if (r->toast[0] != '\0') {
		buf_puts(&call, ",\"text\":");
		json_put_str(&call, r->toast);
	}
	buf_putc(&call, '}');
	if (!buf_over(&call))
		queue_ephemeral(q, call.s, call.len);
	buf_release(&call);
}

enum rc reply_finish(struct reply *r, const struct update *u, struct queue *q,
    struct store *st, int64_t now_ms, struct buf *answer, struct err *e)
{
	struct buf call;
	int part = 0;
	enum rc rc = RC_OK;

	buf_init(&call, 131072);
	for (int i = 0; i < r->n && rc == RC_OK; i++) {
		const struct reply_message *m = &r->messages[i];
		for (size_t at = 0; at < m->text.len && rc == RC_OK;) {
			size_t n = fitting(m->text.s + at);
			bool last = at + n >= m->text.len;
			buf_clear(&call);
			put_call(&call, u, m->edit && at == 0 &&
			    editable(u), m->text.s + at, n,
			    last ? &m->kb : NULL);
			rc = put_part(u, call.s, call.len, &part, q, st, now_ms,
			    answer, e);
			at += n;
		}
	}
	if (rc == RC_OK && answer != NULL && u->kind == UPDATE_CALLBACK)
		put_toast(r, u, q);
	if (answer != NULL && answer->len == 0)
		buf_puts(answer, "{}");
	buf_release(&call);
	return rc;
}
