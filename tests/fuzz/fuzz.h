/*
 * fuzz.h - what the targets share.  Each is one file with one entry, called by
 * libFuzzer with bytes that nobody chose; it must return, leak nothing and
 * break no rule that the parser's header promises.
 */
#ifndef FAMILYBOT_TESTS_FUZZ_H
#define FAMILYBOT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise: not an assert, so that no build flag takes it away. */
#define MUST(cond) do { \
	if (!(cond)) { \
		fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, \
		    __LINE__, #cond); \
		abort(); \
	} \
} while (0)

/* A terminated copy that ends where the data end, so that one byte too far is
 * seen.  The caller frees it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	MUST(s != NULL);
	memcpy(s, data, size);
	s[size] = '\0';
	return s;
}

#endif
