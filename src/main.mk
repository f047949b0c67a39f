# The programs.  What only one of them needs is linked only to it.
bin_PROGRAMS += familybot familybot-worker familybot-poll familybotctl
program_sources = src/process.c src/process.h src/program.c src/program.h
shards_sources = src/shards.c src/shards.h
metering_sources = src/metering.c src/metering.h

guard_sources = src/guard.c src/guard.h
answerer_sources = src/answerer.c src/answerer.h

familybot_SOURCES = src/main_familybot.c src/app.c src/app.h src/apptest.c \
	$(guard_sources) $(answerer_sources) \
	$(program_sources) $(shards_sources) $(metering_sources)
familybot_LDADD = $(CORE_LIBS) $(FCGI_LIBS)

familybot_worker_SOURCES = src/main_worker.c src/hosts.c src/hosts.h $(program_sources) \
	src/applier.c src/applier.h $(guard_sources) $(answerer_sources) \
	$(shards_sources) $(metering_sources)
familybot_worker_LDADD = $(NET_LIBS)

familybot_poll_SOURCES = src/main_poll.c $(program_sources)
familybot_poll_LDADD = $(NET_LIBS)

familybotctl_SOURCES = src/main_ctl.c src/process.c src/process.h \
	$(shards_sources) $(tools_sources)
familybotctl_LDADD = $(NET_LIBS) $(CRYPTO_LIBS)
