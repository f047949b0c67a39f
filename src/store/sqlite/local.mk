libfamilybot_a_SOURCES += \
	src/store/sqlite/backup.c \
	src/store/sqlite/bind.c \
	src/store/sqlite/check.c \
	src/store/sqlite/food.c \
	src/store/sqlite/info.c \
	src/store/sqlite/job.c \
	src/store/sqlite/mark.c \
	src/store/sqlite/meta.c \
	src/store/sqlite/slot.c \
	src/store/sqlite/sql.c \
	src/store/sqlite/sqlite.c \
	src/store/sqlite/sqlite.h \
	src/store/sqlite/write_queue.c \
	src/store/sqlite/write_queue.h \
	src/store/sqlite/user.c
