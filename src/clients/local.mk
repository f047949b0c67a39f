AM_CFLAGS += $(CURL_CFLAGS)
NET_LIBS = $(CORE_LIBS) $(CURL_LIBS)
libfamilybot_a_SOURCES += \
	src/clients/http.c src/clients/http.h \
	src/clients/telegram.c src/clients/telegram.h
