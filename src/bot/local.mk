libfamilybot_a_SOURCES += \
	src/bot/bot.h \
	src/bot/command.h \
	src/bot/dialogue.c src/bot/dialogue.h \
	src/bot/dispatch.c \
	src/bot/draft.c src/bot/draft.h \
	src/bot/heard.c src/bot/heard.h \
	src/bot/intent.c src/bot/intent.h \
	src/bot/lang_en.c \
	src/bot/lang_ru.c \
	src/bot/later.c src/bot/later.h \
	src/bot/memory.c src/bot/memory.h \
	src/bot/reply.c src/bot/reply.h \
	src/bot/taps.c src/bot/taps.h \
	src/bot/text.c src/bot/text.h \
	src/bot/update.c src/bot/update.h \
	src/bot/words.c src/bot/words.h
nodist_libfamilybot_a_SOURCES += src/bot/text_ids.h

# The ids come from the English texts; making them compares the languages.
BUILT_SOURCES += src/bot/text_ids.h
CLEANFILES += src/bot/text_ids.h
EXTRA_DIST += scripts/make-text-ids
src/bot/text_ids.h: src/bot/lang_en.c src/bot/lang_ru.c scripts/make-text-ids
	$(AM_V_GEN)mkdir -p src/bot && $(srcdir)/scripts/make-text-ids \
		$(srcdir)/src/bot/lang_en.c $(srcdir)/src/bot/lang_ru.c > $@.tmp && mv $@.tmp $@
