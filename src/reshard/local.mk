libfamilybot_a_SOURCES += src/reshard/plan.h src/reshard/reshard.h src/reshard/step.h src/reshard/verify.h
libfamilybot_a_SOURCES += src/reshard/verify.c src/reshard/verify_impl.h \
	src/reshard/verify_owner.c src/reshard/verify_stray.c
libfamilybot_a_SOURCES += src/reshard/ask.c src/reshard/audit.c src/reshard/cleanup.c \
	src/reshard/copy.c src/reshard/copy.h src/reshard/cost.c src/reshard/group.c \
	src/reshard/journal.c src/reshard/journal.h src/reshard/journal_text.c \
	src/reshard/mover.h src/reshard/pace.c src/reshard/pace.h src/reshard/plan.c \
	src/reshard/run.c src/reshard/step.c src/reshard/switch.c src/reshard/mover_watch.c
