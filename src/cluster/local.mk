libfamilybot_a_SOURCES += \
	src/cluster/agent.c src/cluster/agent.h \
	src/cluster/apply.c \
	src/cluster/cluster.h \
	src/cluster/doc.c \
	src/cluster/hosts.c \
	src/cluster/internal.h \
	src/cluster/join.c \
	src/cluster/journal.c \
	src/cluster/mapdoc.c \
	src/cluster/meta.c \
	src/cluster/names.c \
	src/cluster/put.c \
	src/cluster/steps.c src/cluster/steps.h \
	src/cluster/liveness.c
