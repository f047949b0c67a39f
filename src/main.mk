# The programs.  What only one of them needs is linked only to it.
bin_PROGRAMS += familybot familybot-worker familybot-poll familybotctl
program_sources = src/app/process.c src/app/process.h src/app/program.c src/app/program.h
shards_sources = src/app/shards_open.c src/app/shards_open.h
metering_sources = src/app/metering.c src/app/metering.h

guard_sources = src/app/guard.c src/app/guard.h
answerer_sources = src/app/answerer.c src/app/answerer.h

familybot_SOURCES = src/main_familybot.c src/app/app.c src/app/app.h src/app/app_test.c \
	$(guard_sources) $(answerer_sources) \
	$(program_sources) $(shards_sources) $(metering_sources)
familybot_LDADD = $(CORE_LIBS)

familybot_worker_SOURCES = src/main_worker.c src/app/hosts_agent.c src/app/hosts_agent.h $(program_sources) \
	src/app/applier.c src/app/applier.h $(guard_sources) $(answerer_sources) \
	$(shards_sources) $(metering_sources)
familybot_worker_LDADD = $(NET_LIBS)

familybot_poll_SOURCES = src/main_poll.c $(program_sources)
familybot_poll_LDADD = $(NET_LIBS)

familybotctl_SOURCES = src/main_ctl.c src/app/process.c src/app/process.h \
	$(shards_sources) $(tools_sources)
familybotctl_LDADD = $(NET_LIBS) $(CRYPTO_LIBS)
