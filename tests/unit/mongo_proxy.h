/*
 * mongo_proxy.h - a server that gets slow: a process between the test and the
 * real one, which passes on, hangs with open sockets, or drips.
 */
#ifndef FAMILYBOT_TESTS_MONGO_PROXY_H
#define FAMILYBOT_TESTS_MONGO_PROXY_H

#include <sys/types.h>

#include <cmocka.h>

enum proxy_mode { PROXY_PASS, PROXY_HANG, PROXY_DRIP };

struct proxy {
	pid_t pid;
	int port;
	volatile int *mode;	/* shared with the process */
	volatile int *resets;	/* shared: clients that reset while it hung */
	int drip_ms;		/* between two bytes of an answer */
};

/* server: "mongodb://127.0.0.1:port", as the tests are given it. */
void proxy_start(struct proxy *p, const char *server, int drip_ms);
void proxy_stop(struct proxy *p);

extern const struct CMUnitTest mongo_slow[];	/* servers that get slow */
extern const size_t mongo_slow_n;

/* What of slots is special to MongoDB; uri: the database of this run. */
extern const struct CMUnitTest mongo_slots[];
extern const size_t mongo_slots_n;
const char *mongo_test_uri(void);

#endif
