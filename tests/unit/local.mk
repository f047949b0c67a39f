check_PROGRAMS += test_config
test_config_SOURCES = tests/unit/test_config.c
test_config_LDADD = $(TEST_LIBS)
