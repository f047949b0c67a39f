libfamilybot_a_SOURCES += src/models/food.c src/models/food.h \
	src/models/column.h \
	src/models/kind.c src/models/kind.h \
	src/models/job.c src/models/job.h \
	src/models/record.c src/models/record.h \
	src/models/slot.h \
	src/models/user.c src/models/user.h
