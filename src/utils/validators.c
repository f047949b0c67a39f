/* validators.c - see validators.h. */
#include "config.h"

#include "utils/validators.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool figure_parse(const char *text, double *value, const char **rest)
{
	double v = 0, place = 0.1;
	int digits = 0;

	text += strspn(text, " \t\n");
	for (; isdigit((unsigned char)*text) && digits < 9; text++, digits++)
		v = v * 10 + (*text - '0');
	if (digits == 0 || isdigit((unsigned char)*text))
		return false;
	if ((*text == '.' || *text == ',') && isdigit((unsigned char)text[1]))
		for (text++; isdigit((unsigned char)*text); text++, place /= 10)
			v += (*text - '0') * place;
	*value = v;
	*rest = text + strspn(text, " \t\n");
	return true;
}

bool unit_is(const char *rest, const char *const *units)
{
	size_t n = strlen(rest);

	while (n > 0 && strchr(" \t\n.", rest[n - 1]) != NULL)
		n--;
	if (n == 0)
		return true;
	for (; *units != NULL; units++)
		if (strlen(*units) == n && strncmp(*units, rest, n) == 0)
			return true;
	return false;
}

int ints_parse(const char *s, int64_t *out, int max)
{
	int n = 0;

	while (*s != '\0') {
		char *end;
		if (n == max || !(isdigit((unsigned char)*s) || *s == '-'))
			return -1;
		errno = 0;
		out[n++] = strtoll(s, &end, 10);
		if (errno != 0 || end == s || (*end != ':' && *end != '\0'))
			return -1;
		s = *end == ':' ? end + 1 : end;
	}
	return n;
}

bool payload_valid(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= 64 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}
