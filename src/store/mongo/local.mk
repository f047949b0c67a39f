# The MongoDB backend: a module that store.c loads when a shard's URI asks for
# it.  It has copies of its own of the little that it uses of utils and models
# (they have no writable state), hidden, and cut down to what is reached: so
# programs need not export symbols, and the sanitizers see one owner of each.
# -z nodelete: libmongoc cannot be unloaded.
mongo_sources = \
	src/store/mongo/mongo.c src/store/mongo/mongo.h \
	src/store/mongo/bson.c \
	src/store/mongo/check.c \
	src/store/mongo/check_day.c \
	src/store/mongo/cursor.c \
	src/store/mongo/day.c \
	src/store/mongo/dirty.c \
	src/store/mongo/index.c \
	src/store/mongo/info.c \
	src/store/mongo/job.c \
	src/store/mongo/lease.c \
	src/store/mongo/meal.c \
	src/store/mongo/meal_doc.c \
	src/store/mongo/meta.c \
	src/store/mongo/record.c \
	src/store/mongo/slot.c \
	src/store/mongo/slot_read.c \
	src/store/mongo/slot_write.c \
	src/store/mongo/stream.c \
	src/store/mongo/trim.c \
	src/store/mongo/user.c
module_PROGRAMS += familybot-mongo.so
familybot_mongo_so_SOURCES = $(mongo_sources) \
	src/models/food.c src/models/job.c src/models/kind.c src/models/record.c \
	src/models/user.c \
	src/utils/buf.c src/utils/clock.c src/utils/err.c src/utils/json.c \
	src/utils/xalloc.c
familybot_mongo_so_CFLAGS = $(AM_CFLAGS) $(MONGOC_CFLAGS) -fPIC \
	-fvisibility=hidden -ffunction-sections -fdata-sections
familybot_mongo_so_LDFLAGS = -shared $(MODE_LDFLAGS) \
	-Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro,-z,now,-z,nodelete
familybot_mongo_so_LDADD = $(MONGOC_LIBS) $(JSON_LIBS) $(XXHASH_LIBS)

# Needs a server, so it is no test by itself: run-mongo-conformance starts one
# and runs it, beside the suite that every backend passes.
EXTRA_PROGRAMS += test_mongo
check_DATA = test_mongo$(EXEEXT)
CLEANFILES += test_mongo$(EXEEXT)
test_mongo_SOURCES = tests/unit/test_mongo.c tests/unit/mongo_proxy.c \
	tests/unit/mongo_proxy.h tests/unit/mongo_slots.c \
	tests/unit/mongo_slow.c $(mongo_sources)
test_mongo_CFLAGS = $(AM_CFLAGS) $(MONGOC_CFLAGS) $(CMOCKA_CFLAGS)
test_mongo_LDADD = $(TEST_LIBS) $(MONGOC_LIBS)
TESTS += tests/run-mongo-conformance
EXTRA_DIST += tests/run-mongo-conformance tests/servers/fetch \
	tests/mongo-server/start tests/mongo-server/stop \
	tests/mongo-server/Main.java tests/mongo-server/pom.xml
