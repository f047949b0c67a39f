/*
 * echo.c - the floor of the benchmark: a FastCGI process that reads the body
 * and answers {}, and does nothing else.
 *
 * Started exactly as familybot is (spawn-fcgi, multiwatch, behind nginx), so
 * the ratio of the two is what the bot itself costs.  Owns no memory.
 */
#include <config.h>

#include <fcgiapp.h>
#include <stdbool.h>

static void answer(FCGX_Request *r)
{
	char body[4096];

	while (FCGX_GetStr(body, sizeof(body), r->in) > 0)
		;
	FCGX_PutS("Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
	    r->out);
}

int main(void)
{
	FCGX_Request r;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&r, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&r) == 0) {
		answer(&r);
		FCGX_Finish_r(&r);
	}
	return 0;
}
