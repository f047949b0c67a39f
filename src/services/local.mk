libfamilybot_a_SOURCES += \
	src/services/food.c src/services/food.h \
	src/services/user.c src/services/user.h
libfamilybot_a_SOURCES += \
	src/services/nutrition.c src/services/nutrition.h \
	src/services/nutrition_alt.c src/services/nutrition_amount.c \
	src/services/nutrition_assign.c \
	src/services/nutrition_classify.c \
	src/services/nutrition_db.c src/services/nutrition_db.h \
	src/services/nutrition_find.c src/services/nutrition_impl.h \
	src/services/nutrition_items.c \
	src/services/nutrition_key.c src/services/nutrition_key.h \
	src/services/nutrition_label.c src/services/nutrition_norm.c \
	src/services/nutrition_scan.c \
	src/services/nutrition_text.c src/services/nutrition_text.h \
	src/services/nutrition_typo.c
