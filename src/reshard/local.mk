libfamilybot_a_SOURCES += src/reshard/plan.h src/reshard/reshard.h src/reshard/step.h src/reshard/verify.h
