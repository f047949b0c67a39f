# Fuzz targets, for `configure --enable-fuzzing` with clang; tests/fuzz/run
# builds and runs them.
FUZZERS = tests/fuzz/fuzz_config tests/fuzz/fuzz_datagram tests/fuzz/fuzz_fcgi \
	tests/fuzz/fuzz_food tests/fuzz/fuzz_items tests/fuzz/fuzz_label \
	tests/fuzz/fuzz_query tests/fuzz/fuzz_record \
	tests/fuzz/fuzz_tap tests/fuzz/fuzz_update
EXTRA_PROGRAMS += $(FUZZERS)
CLEANFILES += $(FUZZERS)
FUZZ_LIBS = $(CORE_LIBS) $(CURL_LIBS)

tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_config_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_datagram_SOURCES = tests/fuzz/fuzz_datagram.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_datagram_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_datagram_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_fcgi_SOURCES = tests/fuzz/fuzz_fcgi.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_fcgi_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_fcgi_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_food_SOURCES = tests/fuzz/fuzz_food.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_food_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_food_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_items_SOURCES = tests/fuzz/fuzz_items.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_items_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_items_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_label_SOURCES = tests/fuzz/fuzz_label.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_label_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_label_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_query_SOURCES = tests/fuzz/fuzz_query.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_query_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_query_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_record_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_record_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_tap_SOURCES = tests/fuzz/fuzz_tap.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_tap_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_tap_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_update_SOURCES = tests/fuzz/fuzz_update.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_update_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_update_LDADD = $(FUZZ_LIBS)

.PHONY: fuzzers
fuzzers: all
	$(MAKE) $(AM_MAKEFLAGS) $(FUZZERS)
EXTRA_DIST += tests/fuzz/run tests/fuzz/seeds tests/lsan.supp
