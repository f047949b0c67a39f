libfamilybot_a_SOURCES += src/reshard/plan.h src/reshard/reshard.h src/reshard/step.h src/reshard/verify.h
libfamilybot_a_SOURCES += src/reshard/verify.c src/reshard/verify_impl.h \
	src/reshard/verify_owner.c src/reshard/verify_stray.c
