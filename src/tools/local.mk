tools_sources = \
	src/tools/ctl.c src/tools/ctl.h \
	src/tools/jobs.c \
	src/tools/options.c \
	src/tools/shards.c src/tools/shards.h \
	src/tools/webhook.c src/tools/webhook.h \
	src/tools/webhook_info.c
