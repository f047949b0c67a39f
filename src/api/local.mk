libfamilybot_a_SOURCES += \
	src/api/health.c \
	src/api/http.h \
	src/api/routes.c \
	src/api/webhook.c
