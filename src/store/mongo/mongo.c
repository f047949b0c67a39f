/*
 * mongo.c - a shard on MongoDB, or on a server that speaks its protocol.
 *
 * A loadable module (familybot-mongo.so); store_mongo_ops is all that it
 * exports.  A store owns one mongoc_client_t, used by one thread: libmongoc
 * connects when first needed and again after a failure, and adds sessions and
 * retryable writes where the server offers them.  Nothing here needs a
 * transaction.  May not log: failures are told in struct err.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <string.h>

#include "utils/buf.h"
#include "utils/xalloc.h"

/* SCAN_PAUSE_MS: libmongoc waits so long between two looks for a server, which
 * is part of an operation's time when the server was lost a moment ago. */
enum { TIMEOUT_DEFAULT_MS = 2000, SELECT_MAX_MS = 1500, SCAN_PAUSE_MS = 500,
	LONG_MS = 1800000 /* half an hour */ };

/* What to do about a server's error code; others are RC_SYSTEM.  The codes:
 * https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml */
static const struct {
	uint32_t code;
	enum rc rc;
} code_table[] = {
	{ MONGO_CODE_DUPLICATE, RC_CONFLICT },
	{ 6, RC_UNAVAILABLE },		/* HostUnreachable */
	{ 7, RC_UNAVAILABLE },		/* HostNotFound */
	{ 50, RC_UNAVAILABLE },		/* MaxTimeMSExpired */
	{ 64, RC_UNAVAILABLE },		/* WriteConcernFailed: timed out */
	{ 89, RC_UNAVAILABLE },		/* NetworkTimeout */
	{ 91, RC_UNAVAILABLE },		/* ShutdownInProgress */
	{ 100, RC_UNAVAILABLE },	/* UnsatisfiableWriteConcern */
	{ 133, RC_UNAVAILABLE },	/* FailedToSatisfyReadPreference */
	{ 189, RC_UNAVAILABLE },	/* PrimarySteppedDown */
	{ 262, RC_UNAVAILABLE },	/* ExceededTimeLimit */
	{ 9001, RC_UNAVAILABLE },	/* SocketException */
	{ 10107, RC_UNAVAILABLE },	/* NotWritablePrimary */
	{ 11600, RC_UNAVAILABLE },	/* InterruptedAtShutdown */
	{ 11602, RC_UNAVAILABLE },	/* InterruptedDueToReplStateChange */
	{ 13435, RC_UNAVAILABLE },	/* NotPrimaryNoSecondaryOk */
	{ 13436, RC_UNAVAILABLE },	/* NotPrimaryOrSecondary */
	{ 13, RC_DENIED },		/* Unauthorized */
	{ 18, RC_DENIED },		/* AuthenticationFailed */
	{ 24, RC_BUSY },		/* LockTimeout */
	{ 46, RC_BUSY },		/* LockBusy */
	{ 112, RC_BUSY },		/* WriteConflict */
	{ 12501, RC_FULL },		/* quota exceeded */
	{ 14031, RC_FULL },		/* OutOfDiskSpace */
	{ 10334, RC_TOOBIG },		/* BSONObjectTooLarge */
	{ 17419, RC_TOOBIG },		/* an update makes it too large */
	{ 17420, RC_TOOBIG },
};

static enum rc code_rc(uint32_t domain, uint32_t code)
{
	switch (domain) {
	case MONGOC_ERROR_STREAM:
	case MONGOC_ERROR_SERVER_SELECTION:
		return RC_UNAVAILABLE;
	case MONGOC_ERROR_CLIENT:
		if (code == MONGOC_ERROR_CLIENT_AUTHENTICATE)
			return RC_DENIED;
		/* A connection that is not made is told so too. */
		return code <= MONGOC_ERROR_STREAM_NOT_ESTABLISHED ||
		    code == MONGOC_ERROR_CLIENT_NOT_READY ? RC_UNAVAILABLE :
		    RC_SYSTEM;
	default:
		break;
	}
	for (size_t i = 0; i < sizeof(code_table) / sizeof(*code_table); i++)
		if (code_table[i].code == code)
			return code_table[i].rc;
	return RC_SYSTEM;
}

static enum rc fail(struct mongo_store *ms, uint32_t domain, uint32_t code,
    const char *message, struct err *e)
{
	return err_set(e, code_rc(domain, code), "shard %s: MongoDB: %s (%u)",
	    ms->name, message, code);
}

enum rc mongo_fail(struct mongo_store *ms, const bson_error_t *error,
    struct err *e)
{
	return fail(ms, error->domain, error->code, error->message, e);
}

enum rc mongo_corrupt(struct mongo_store *ms, const char *what, struct err *e)
{
	return err_set(e, RC_CORRUPT, "shard %s: MongoDB: unreadable %s",
	    ms->name, what);
}

enum rc mongo_read(struct mongo_store *ms, bson_t *cmd, bson_t *reply,
    struct err *e)
{
	bson_error_t error;

	BSON_APPEND_INT32(cmd, "maxTimeMS", ms->max_time_ms);
	if (!mongoc_client_read_command_with_opts(ms->client, ms->db, cmd,
	    NULL, NULL, reply, &error))
		return mongo_fail(ms, &error, e);
	return RC_OK;
}

/* insert, update and delete answer ok and say in writeErrors what failed. */
static enum rc write_errors(struct mongo_store *ms, const bson_t *reply,
    struct err *e)
{
	enum rc rc = RC_OK;
	bson_t list, one;
	bson_iter_t it, msg;

	if (!mongo_get_doc(reply, "writeErrors", &list) ||
	    !bson_iter_init(&it, &list))
		return RC_OK;
	while (bson_iter_next(&it)) {
		const char *message = "write error";
		int64_t code = 0;

		if (!mongo_iter_doc(&it, &one))
			return mongo_corrupt(ms, "answer", e);
		if (!mongo_get_i64(&one, "code", &code))
			code = 0;
		if (rc == RC_CONFLICT && code == MONGO_CODE_DUPLICATE)
			continue;
		if (bson_iter_init_find(&msg, &one, "errmsg") &&
		    BSON_ITER_HOLDS_UTF8(&msg))
			message = bson_iter_utf8(&msg, NULL);
		rc = fail(ms, MONGOC_ERROR_SERVER, (uint32_t)code, message, e);
		if (rc != RC_CONFLICT)
			return rc;
	}
	return rc;
}

enum rc mongo_write_untimed(struct mongo_store *ms, const bson_t *cmd,
    bson_t *reply, struct err *e)
{
	bson_error_t error;

	if (!mongoc_client_write_command_with_opts(ms->client, ms->db, cmd,
	    NULL, reply, &error))
		return mongo_fail(ms, &error, e);
	return write_errors(ms, reply, e);
}

enum rc mongo_write(struct mongo_store *ms, bson_t *cmd, bson_t *reply,
    struct err *e)
{
	BSON_APPEND_INT32(cmd, "maxTimeMS", ms->max_time_ms);
	return mongo_write_untimed(ms, cmd, reply, e);
}

enum rc mongo_find(struct mongo_store *ms, const struct mongo_find *f,
    bson_t *reply, struct err *e)
{
	bson_t cmd = BSON_INITIALIZER;
	enum rc rc;

	BSON_APPEND_UTF8(&cmd, "find", f->collection);
	BSON_APPEND_DOCUMENT(&cmd, "filter", f->filter);
	if (f->sort != NULL)
		BSON_APPEND_DOCUMENT(&cmd, "sort", f->sort);
	if (f->projection != NULL)
		BSON_APPEND_DOCUMENT(&cmd, "projection", f->projection);
	BSON_APPEND_INT64(&cmd, "limit", f->limit);
	/* Without a batch size the first batch ends at 101 documents. */
	BSON_APPEND_INT64(&cmd, "batchSize", f->limit);
	BSON_APPEND_BOOL(&cmd, "singleBatch", true);
	rc = mongo_read(ms, &cmd, reply, e);
	bson_destroy(&cmd);
	return rc;
}

enum rc mongo_batch_init(struct mongo_store *ms, const bson_t *reply,
    bson_iter_t *batch, struct err *e)
{
	bson_iter_t it, found;

	if (!bson_iter_init(&it, reply) ||
	    !bson_iter_find_descendant(&it, "cursor.firstBatch", &found) ||
	    !BSON_ITER_HOLDS_ARRAY(&found) ||
	    !bson_iter_recurse(&found, batch))
		return mongo_corrupt(ms, "answer", e);
	return RC_OK;
}

bool mongo_batch_next(bson_iter_t *batch, bson_t *doc)
{
	return bson_iter_next(batch) && mongo_iter_doc(batch, doc);
}

void mongo_begin_long(struct mongo_store *ms)
{
	ms->deadline = clock_mono_us() + LONG_MS * INT64_C(1000);
}

static enum rc mongo_ping(struct store *s, struct err *e)
{
	bson_t cmd = BSON_INITIALIZER, reply;
	enum rc rc;

	BSON_APPEND_INT32(&cmd, "ping", 1);
	rc = mongo_read(mongo_begin(s), &cmd, &reply, e);
	bson_destroy(&reply);
	bson_destroy(&cmd);
	return rc;
}

/* Lowers a time-out of the URI, or the driver's default, to at most max. */
static int cap_option(mongoc_uri_t *uri, const char *option, int standard,
    int max)
{
	int value = mongoc_uri_get_option_as_int32(uri, option, standard);

	if (value <= 0 || value > max)
		value = max;
	mongoc_uri_set_option_as_int32(uri, option, value);
	return value;
}

/* Time-outs, and the promise that what was answered is stored. */
static void uri_settle(mongoc_uri_t *uri, int timeout_ms,
    struct mongo_store *ms)
{
	const bson_t *options = mongoc_uri_get_options(uri);
	mongoc_write_concern_t *wc = mongoc_write_concern_new();
	int given = timeout_ms > 0 ? timeout_ms : TIMEOUT_DEFAULT_MS;
	int most = timeout_ms > 0 ? timeout_ms : INT32_MAX;
	int select = given - SCAN_PAUSE_MS > given / 2 ?
	    given - SCAN_PAUSE_MS : (given + 1) / 2;
	int socket;

	if (select > SELECT_MAX_MS)
		select = SELECT_MAX_MS;
	socket = cap_option(uri, MONGOC_URI_SOCKETTIMEOUTMS, given, most);
	cap_option(uri, MONGOC_URI_CONNECTTIMEOUTMS, select, select);
	cap_option(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, select, select);
	ms->timeout_ms = socket;
	ms->connect_ms = mongoc_uri_get_option_as_int32(uri,
	    MONGOC_URI_CONNECTTIMEOUTMS, select);
	ms->max_time_ms = socket > 1 ? socket - (socket + 3) / 4 : 1;

	mongoc_write_concern_set_wmajority(wc, ms->max_time_ms);
	/* A standalone server answers before its journal is on disk unless
	 * asked; journal=false in the URI gives that promise up. */
	if (!bson_has_field(options, MONGOC_URI_JOURNAL))
		mongoc_write_concern_set_journal(wc, true);
	mongoc_uri_set_write_concern(uri, wc);
	mongoc_write_concern_destroy(wc);
	if (!bson_has_field(options, MONGOC_URI_APPNAME))
		mongoc_uri_set_option_as_utf8(uri, MONGOC_URI_APPNAME,
		    "familybot");
}

static void mongo_close(struct store *s)
{
	struct mongo_store *ms;

	if (s == NULL)
		return;
	ms = mongo_of(s);
	mongoc_client_destroy(ms->client);
	free(ms);
}

static enum rc client_new(const struct store_conf *c, struct mongo_store *ms,
    struct err *e)
{
	mongoc_read_prefs_t *primary = NULL;
	mongoc_uri_t *uri = NULL;
	bson_error_t error;
	enum rc rc = RC_OK;
	const char *db;

	/* The message of a bad URI may hold its password: it is not shown. */
	uri = mongoc_uri_new_with_error(c->uri, &error);
	if (uri == NULL) {
		rc = err_set(e, RC_INVALID, "shard %s: not a MongoDB URI; use "
		    "mongodb://host:port/database", ms->name);
		goto out;
	}
	db = mongoc_uri_get_database(uri);
	if (!str_copy(ms->db, sizeof(ms->db), db != NULL ? db : "familybot")) {
		rc = err_set(e, RC_INVALID, "shard %s: the database's name is "
		    "too long", ms->name);
		goto out;
	}
	uri_settle(uri, c->timeout_ms, ms);
	ms->client = mongoc_client_new_from_uri_with_error(uri, &error);
	if (ms->client == NULL) {
		rc = err_set(e, RC_INVALID, "shard %s: MongoDB: %s", ms->name,
		    error.message);
		goto out;
	}
	mongo_stream_limit(ms);
	mongoc_client_set_error_api(ms->client, MONGOC_ERROR_API_VERSION_2);
	primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
	mongoc_client_set_read_prefs(ms->client, primary);
out:
	mongoc_read_prefs_destroy(primary);
	mongoc_uri_destroy(uri);
	return rc;
}

static enum rc mongo_open(const struct store_conf *c, struct store **out,
    struct err *e)
{
	struct mongo_store *ms = NULL;
	enum rc rc;

	mongoc_init();
	mongoc_log_set_handler(NULL, NULL);
	ms = xcalloc(1, sizeof(*ms));
	ms->store.ops = &store_mongo_ops;
	str_copy(ms->name, sizeof(ms->name), c->name != NULL ? c->name : "?");
	rc = client_new(c, ms, e);
	if (rc != RC_OK)
		goto out;
	(void)mongo_begin(&ms->store);
	rc = c->create ? mongo_index_create(ms, e) :
	    mongo_ping(&ms->store, e);
	if (rc != RC_OK)
		goto out;
	mongo_trim();
	*out = &ms->store;
	ms = NULL;
out:
	mongo_close(ms == NULL ? NULL : &ms->store);
	return rc;
}

const struct store_ops store_mongo_ops = {
	.scheme = "mongodb",
	.open = mongo_open,
	.close = mongo_close,
	.ping = mongo_ping,
	.user_get = mongo_user_get,
	.user_put = mongo_user_put,
	.erase = mongo_erase,
	.meal_add = mongo_meal_add,
	.meal_get = mongo_meal_get,
	.meal_replace = mongo_meal_replace,
	.meal_page = mongo_meal_page,
	.meal_day = mongo_meal_day,
	.day_sums = mongo_day_sums,
	.own_food_put = mongo_own_food_put,
	.own_food_list = mongo_own_food_list,
	.job_add = mongo_job_add,
	.job_lease = mongo_job_lease,
	.job_settle = mongo_job_settle,
	.job_list = mongo_job_list,
	.job_revive = mongo_job_revive,
	.job_purge = mongo_job_purge,
	.stats = mongo_stats,
	.job_stats = mongo_job_stats,
	.slot_users = mongo_slot_users,
	.slot_read = mongo_slot_read,
	.slot_write = mongo_slot_write,
	.slot_clear = mongo_slot_clear,
	.slot_clear_jobs = mongo_slot_clear_jobs,
	.dirty_list = mongo_dirty_list,
	.dirty_clear = mongo_dirty_clear,
	.census = mongo_census,
	.check = mongo_check,
	.info = mongo_info,
	.backup = mongo_backup,
	.meta_get = mongo_meta_get,
	.meta_put = mongo_meta_put,
	.meta_list = mongo_meta_list,
	.meta_delete = mongo_meta_delete,
};
