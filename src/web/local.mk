libfamilybot_a_SOURCES += \
	src/web/args.c \
	src/web/fcgi.c src/web/fcgi.h \
	src/web/fcgi_fields.c \
	src/web/fcgi_parse.c src/web/fcgi_parse.h \
	src/web/http.c src/web/http.h src/web/method.h \
	src/web/metrics.c src/web/metrics.h \
	src/web/metrics_file.c src/web/metrics_file.h \
	src/web/metrics_text.c \
	src/web/metrics_worker.c src/web/metrics_worker.h \
	src/web/route.c src/web/route.h \
	src/web/web.c src/web/web.h
