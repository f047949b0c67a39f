/* route.c - see route.h. */
#include "config.h"

#include "web/route.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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

/* Read as an address, not as text: "127.evil" is what a proxy may be told. */
bool http_addr_local(const char *addr)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, addr, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, addr, &six) == 1)
		return memcmp(&six, &in6addr_loopback, sizeof(six)) == 0 ||
		    (memcmp(&six, mapped, sizeof(mapped)) == 0 &&
		    six.s6_addr[12] == IN_LOOPBACKNET);
	return strcmp(addr, "unix:") == 0;
}
