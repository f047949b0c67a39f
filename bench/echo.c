/*
 * echo.c - the floor of the benchmark: a FastCGI process that reads the body
 * and answers {}, and does nothing else.
 *
 * Started exactly as familybot is (spawn-fcgi, multiwatch, behind nginx), and
 * reading by the same parser, so the ratio of the two is what the bot itself
 * costs.  It serves a benchmark's own nginx and therefore has no time-outs.
 */
#include <config.h>

#include <sys/socket.h>
#include <unistd.h>

#include "web/fcgi_parse.h"

enum { BODY_MAX = 1 << 20 };

static void answer(struct fcgi_in *in, int fd)
{
	static const char text[] =
	    "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{}";
	unsigned char head[FCGI_HEAD];
	struct buf out;

	buf_init(&out, 1024);
	fcgi_put_head(head, FCGI_STDOUT, in->id, sizeof(text) - 1);
	buf_add(&out, head, sizeof(head));
	buf_add(&out, text, sizeof(text) - 1);
	fcgi_put_head(head, FCGI_STDOUT, in->id, 0);
	buf_add(&out, head, sizeof(head));
	fcgi_put_end(&out, in->id, FCGI_COMPLETE);
	(void)!write(fd, out.s, out.len);
	buf_release(&out);
}

int main(void)
{
	static struct fcgi_in in;
	char chunk[32768];
	int fd;

	fcgi_in_init(&in, BODY_MAX);
	while ((fd = accept(STDIN_FILENO, NULL, NULL)) >= 0) {
		ssize_t n = 1;
		while (in.state == FCGI_MORE &&
		    (n = read(fd, chunk, sizeof(chunk))) > 0)
			fcgi_feed(&in, chunk, (size_t)n);
		if (in.state == FCGI_READY)
			answer(&in, fd);
		close(fd);
		fcgi_in_clear(&in);
	}
	fcgi_in_release(&in);
	return 1;
}
