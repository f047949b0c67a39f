check_PROGRAMS += test_config
test_config_SOURCES = tests/unit/test_config.c tests/unit/config_place.h
test_config_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_config_shards
test_config_shards_SOURCES = tests/unit/test_config_shards.c tests/unit/config_place.h
test_config_shards_LDADD = $(TEST_LIBS)
