libfamilybot_a_SOURCES += src/models/food.c src/models/food.h
