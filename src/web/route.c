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

bool http_route_named(const struct http_route *row)
{
	return strpbrk(row->path, "{*") != NULL;
}

static bool method_fits(const char *row, const char *sent)
{
	return strcmp(row, sent) == 0 ||
	    (strcmp(row, "GET") == 0 && strcmp(sent, "HEAD") == 0);
}

/*
 * Does path fit pattern?  With req what the names stand for is kept, so it is
 * called first without: a row that fits up to its last segment leaves nothing.
 */
static bool path_fits(const char *pattern, const char *path,
    struct http_request *req)
{
	while (*pattern != '\0') {
		if (strcmp(pattern, "*") == 0) {
			if (req != NULL)
				http_arg_add(req, "*", 1, path, strlen(path));
			return true;
		}
		if (*pattern == '{') {
			size_t name = strcspn(++pattern, "}");
			size_t len = strcspn(path, "/");
			if (len == 0)
				return false;
			if (req != NULL)
				http_arg_add(req, pattern, name, path, len);
			pattern += name + 1;
			path += len;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return *path == '\0';
}

/* Adds a method to what Allow says, once. */
static void allow_add(char *allow, size_t size, const char *method)
{
	const char *name = strcmp(method, "GET") == 0 ? "GET, HEAD" : method;
	char was[HTTP_ALLOW_SIZE];

	if (strstr(allow, name) != NULL)
		return;
	str_copy(was, sizeof(was), allow);
	str_format(allow, size, "%s%s%s", was, *was != '\0' ? ", " : "", name);
}

int http_route_find(const struct http_route *rows, struct http_request *req,
    struct http_response *resp)
{
	char allow[HTTP_ALLOW_SIZE] = "";
	unsigned int flags = 0;

	for (int i = 0; rows[i].path != NULL; i++) {
		if (!path_fits(rows[i].path, req->path, NULL))
			continue;
		if (*allow == '\0')
			flags = rows[i].flags;
		if (rows[i].handle == NULL) {
			if (*allow != '\0')
				break;	/* there is a path, for others */
			http_refuse(resp, flags, 404, "there is no such path");
			return -1;
		}
		if (method_fits(rows[i].method, req->method)) {
			if (http_route_named(&rows[i]))
				(void)path_fits(rows[i].path, req->path, req);
			return i;
		}
		allow_add(allow, sizeof(allow), rows[i].method);
	}
	if (*allow == '\0') {
		http_refuse(resp, 0, 404, "there is no such path");
		return -1;
	}
	http_refuse(resp, flags, 405,
	    "this path answers another method, see Allow");
	str_copy(resp->allow, sizeof(resp->allow), allow);
	return -1;
}

void http_refuse(struct http_response *resp, unsigned int flags, int status,
    const char *why)
{
	if (flags & HTTP_F_PROBLEM)
		http_problem(resp, status, why);
	else
		http_fail(resp, status, why);
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
