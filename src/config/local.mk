libfamilybot_a_SOURCES += \
	src/config/check.c \
	src/config/config.c \
	src/config/config.h \
	src/config/file.c \
	src/config/file.h \
	src/config/options.c \
	src/config/options.h \
	src/config/report.c \
	src/config/report.h \
	src/config/secret.c \
	src/config/secret.h \
	src/config/shard_uri.c \
	src/config/shards_conf.c \
	src/config/shards_cluster.c \
	src/config/shards_conf.h \
	src/config/shards_text.c \
	src/config/shards_text.h \
	src/config/shards_write.c \
	src/config/shards_write.h \
	src/config/uri.c \
	src/config/values.c \
	src/config/values.h
