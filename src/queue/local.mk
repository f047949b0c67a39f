libfamilybot_a_SOURCES += src/queue/queue.c src/queue/queue.h
