libfamilybot_a_SOURCES += \
	src/services/nutrition/nutrition.c src/services/nutrition/nutrition.h \
	src/services/nutrition/alt.c src/services/nutrition/amount.c \
	src/services/nutrition/assign.c \
	src/services/nutrition/classify.c \
	src/services/nutrition/db.c src/services/nutrition/db.h \
	src/services/nutrition/dish.c \
	src/services/nutrition/find.c src/services/nutrition/impl.h \
	src/services/nutrition/items.c \
	src/services/nutrition/key.c src/services/nutrition/key.h \
	src/services/nutrition/label.c src/services/nutrition/norm.c \
	src/services/nutrition/scan.c \
	src/services/nutrition/text.c src/services/nutrition/text.h \
	src/services/nutrition/typo.c
