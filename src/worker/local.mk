libfamilybot_a_SOURCES += \
	src/worker/drain.c \
	src/worker/gauges.c \
	src/worker/inbox.c \
	src/worker/internal.h \
	src/worker/item.c \
	src/worker/lease.c \
	src/worker/offset.c src/worker/offset.h \
	src/worker/poller.c src/worker/poller.h \
	src/worker/rate.c src/worker/rate.h \
	src/worker/send.c \
	src/worker/stop.c src/worker/stop.h \
	src/worker/webhook_watch.c \
	src/worker/worker.c src/worker/worker.h
