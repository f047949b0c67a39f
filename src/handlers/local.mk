libfamilybot_a_SOURCES += \
	src/handlers/choice.c \
	src/handlers/cmd_cancel.c \
	src/handlers/cmd_delete_me.c \
	src/handlers/cmd_help.c \
	src/handlers/cmd_history.c \
	src/handlers/cmd_language.c \
	src/handlers/cmd_profile.c \
	src/handlers/cmd_start.c \
	src/handlers/cmd_timezone.c \
	src/handlers/cmd_today.c \
	src/handlers/cmd_undo.c \
	src/handlers/cmd_week.c \
	src/handlers/food_text.c \
	src/handlers/meal_view.c src/handlers/meal_view.h \
	src/handlers/question.c \
	src/handlers/said.c \
	src/handlers/step_rows.c src/handlers/step_rows.h \
	src/handlers/steps.c src/handlers/steps.h \
	src/handlers/table.c src/handlers/table.h \
	src/handlers/tap_meal.c \
	src/handlers/teach.c src/handlers/teach.h
