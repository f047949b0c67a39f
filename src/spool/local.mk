libfamilybot_a_SOURCES += \
	src/spool/spool.c src/spool/spool.h \
	src/spool/spool_db.c src/spool/spool_db.h
