libfamilybot_a_SOURCES += \
	src/services/food.c src/services/food.h \
	src/services/user.c src/services/user.h
