/*
 * json.h - json-c with its gaps closed (strict, valid UTF-8, depth, types and
 * ranges checked).  The only file that calls json-c's parser and getters.
 *
 * A struct json_object belongs to the caller of json_parse; what the getters
 * return is borrowed from it.
 */
#ifndef FAMILYBOT_UTILS_JSON_H
#define FAMILYBOT_UTILS_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "utils/buf.h"
#include "utils/err.h"

struct json_object;

enum { JSON_DEPTH_MAX = 32 };

/* RC_INVALID on anything that is not one strict JSON value. */
MUST_CHECK enum rc json_parse(const char *text, size_t len,
    struct json_object **out, struct err *e);
void json_free(struct json_object *j);

/* Getters: NULL or false when j is not an object, the key is missing, or its
 * value has another type or does not fit. */
struct json_object *json_obj(struct json_object *j, const char *key);
struct json_object *json_arr(struct json_object *j, const char *key);
const char *json_str(struct json_object *j, const char *key);
bool json_i64(struct json_object *j, const char *key, int64_t *out);
bool json_flag(struct json_object *j, const char *key, bool *out);
bool json_has(struct json_object *j, const char *key);
size_t json_len(struct json_object *arr);
struct json_object *json_at(struct json_object *arr, size_t i);
const char *json_str_value(struct json_object *j);	/* j itself a string */
bool json_i64_value(struct json_object *j, int64_t *out);

/* Is it UTF-8, without overlong forms and surrogates? */
bool json_utf8(const char *s, size_t len);

/* Writer: adds s as a quoted, escaped JSON string; bad UTF-8 becomes U+FFFD. */
void json_put_str(struct buf *b, const char *s);
void json_put_strn(struct buf *b, const char *s, size_t len);

#endif
