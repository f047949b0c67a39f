/* keyboards.c - see keyboards.h. */
#include "config.h"

#include "utils/keyboards.h"

#include <stdarg.h>
#include <stdio.h>

#include "utils/json.h"

enum { KB_JSON_MAX = 32768 };

void keyboard_init(struct keyboard *k)
{
	buf_init(&k->json, KB_JSON_MAX);
	k->stamp = NULL;
	k->stamp_ctx = NULL;
	keyboard_clear(k);
}

void keyboard_release(struct keyboard *k)
{
	buf_release(&k->json);
}

void keyboard_clear(struct keyboard *k)
{
	buf_clear(&k->json);
	k->in_row = 0;
	k->total = 0;
	k->open = false;
}

void keyboard_row(struct keyboard *k)
{
	if (k->open)
		buf_putc(&k->json, ']');
	k->open = false;
	k->in_row = 0;
}

/* key: what kind of button; value: its data or address. */
static bool put_button(struct keyboard *k, const char *label, const char *key,
    const char *value)
{
	if (k->total >= KB_MAX || *label == '\0')
		return false;
	if (k->in_row >= KB_ROW_MAX)
		keyboard_row(k);
	if (!k->open)
		buf_puts(&k->json, k->total > 0 ? ",[" : "[");
	else
		buf_putc(&k->json, ',');
	k->open = true;
	buf_puts(&k->json, "{\"text\":");
	json_put_str(&k->json, label);
	buf_printf(&k->json, ",\"%s\":", key);
	json_put_str(&k->json, value);
	buf_putc(&k->json, '}');
	k->in_row++;
	k->total++;
	return true;
}

bool keyboard_button(struct keyboard *k, const char *label,
    const char *data, ...)
{
	char payload[KB_DATA_MAX + 1];
	va_list ap;
	int n;

	va_start(ap, data);
	n = vsnprintf(payload, sizeof(payload), data, ap);
	va_end(ap);
	if (n < 1 || n > KB_DATA_MAX)
		return false;
	if (k->stamp != NULL && !k->stamp(k->stamp_ctx, payload,
	    sizeof(payload)))
		return false;
	return put_button(k, label, "callback_data", payload);
}

bool keyboard_link(struct keyboard *k, const char *label, const char *url)
{
	return put_button(k, label, "url", url);
}

void keyboard_write(const struct keyboard *k, struct buf *out)
{
	buf_puts(out, "{\"inline_keyboard\":[");
	buf_add(out, k->json.s, k->json.len);
	if (k->open)
		buf_putc(out, ']');
	buf_puts(out, "]}");
}
