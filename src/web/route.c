/* route.c - see route.h. */
#include "config.h"

#include "web/route.h"

#include <string.h>

int http_routes_count(const struct http_route *rows)
{
	int n = 0;

	while (rows[n].path != NULL)
		n++;
	return n;
}

static bool method_fits(const char *row, const char *sent)
{
	return strcmp(row, sent) == 0 ||
	    (strcmp(row, "GET") == 0 && strcmp(sent, "HEAD") == 0);
}

int http_route_find(const struct http_route *rows, const char *path,
    const char *method, struct http_response *resp)
{
	const char *other = NULL;

	for (int i = 0; rows[i].path != NULL; i++) {
		if (strcmp(rows[i].path, path) != 0)
			continue;
		if (method_fits(rows[i].method, method))
			return i;
		other = rows[i].method;
	}
	if (other == NULL) {
		http_fail(resp, 404, "there is no such path");
		return -1;
	}
	http_fail(resp, 405, "this path answers another method, see Allow");
	resp->allow = strcmp(other, "GET") == 0 ? "GET, HEAD" : other;
	return -1;
}

bool http_addr_local(const char *addr)
{
	return strncmp(addr, "127.", 4) == 0 || strcmp(addr, "::1") == 0 ||
	    strncmp(addr, "::ffff:127.", 11) == 0 ||
	    strcmp(addr, "unix:") == 0;
}
