libfamilybot_a_SOURCES += \
	src/spool/spool.c src/spool/spool.h \
	src/spool/spool_counts.c src/spool/spool_counts.h \
	src/spool/spool_db.c src/spool/spool_db.h \
	src/spool/spool_look.c \
	src/spool/spool_sql.c \
	src/spool/spool_take.c
