libfamilybot_a_SOURCES += \
	src/utils/arena.c src/utils/arena.h \
	src/utils/banned.h \
	src/utils/buf.c src/utils/buf.h \
	src/utils/clock.c src/utils/clock.h \
	src/utils/err.c src/utils/err.h \
	src/utils/json.c src/utils/json.h \
	src/utils/keyboards.c src/utils/keyboards.h \
	src/utils/log.c src/utils/log.h \
	src/utils/log_who.c src/utils/log_who.h \
	src/utils/timing.c src/utils/timing.h \
	src/utils/validators.c src/utils/validators.h \
	src/utils/xalloc.c src/utils/xalloc.h
