/*
 * method.h - the methods of HTTP, apart from requests: metrics count by them
 * and know of no request.
 */
#ifndef FAMILYBOT_WEB_METHOD_H
#define FAMILYBOT_WEB_METHOD_H

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER,
	HTTP_METHOD_COUNT };

enum http_method http_method_of(const char *name);
const char *http_method_name(enum http_method m);	/* "other" for others */

#endif
