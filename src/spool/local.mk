libfamilybot_a_SOURCES += src/spool/spool.h
