libfamilybot_a_SOURCES += \
	src/shards/pulse.c \
	src/shards/pulse.h \
	src/shards/pulse_breaker.c \
	src/shards/pulse_file.h \
	src/shards/pulse_stats.c \
	src/shards/router.c \
	src/shards/router.h \
	src/shards/router_impl.h \
	src/shards/router_shard.c \
	src/shards/shared.c \
	src/shards/shared.h \
	src/shards/slots.c \
	src/shards/slots.h \
	src/shards/slots_file.c \
	src/shards/slots_lock.c \
	src/shards/slots_map.h \
	src/shards/slots_shard.c
