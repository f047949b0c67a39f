/*
 * store.c - opens a shard with the backend that its URI names.
 *
 * A module stays loaded for the life of the process: libmongoc cannot be
 * unloaded, and dlopen finds it again by itself.
 */
#include "config.h"

#include "store/store.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "utils/buf.h"

static bool has_scheme(const char *uri, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncmp(uri, scheme, n) == 0 && uri[n] == ':';
}

static enum rc mongo_ops(const char *shard, const struct store_ops **out,
    struct err *e)
{
	const char *dir = getenv("FAMILYBOT_MODULES");
	const struct store_ops *ops;
	char path[1024];
	void *module;

	if (!str_format(path, sizeof(path), "%s/familybot-mongo.so",
	    dir && dir[0] ? dir : PKGLIBDIR))
		return err_set(e, RC_INVALID, "FAMILYBOT_MODULES is too long");
	/* libmongoc's counters in /dev/shm would outlive killed processes. */
	(void)setenv("MONGOC_DISABLE_SHM", "1", 0);
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!module)
		return err_set(e, RC_SYSTEM, "%s: the MongoDB module cannot be "
		    "loaded: %s", shard, dlerror());
	ops = dlsym(module, "store_mongo_ops");
	if (!ops)
		return err_set(e, RC_SYSTEM, "%s: %s is no module of familybot",
		    shard, path);
	*out = ops;
	return RC_OK;
}

enum rc store_open(const struct store_conf *c, struct store **out,
    struct err *e)
{
	const struct store_ops *ops = NULL;
	enum rc rc = RC_OK;

	if (has_scheme(c->uri, store_sqlite_ops.scheme))
		ops = &store_sqlite_ops;
	else if (has_scheme(c->uri, "mongodb") ||
	    has_scheme(c->uri, "mongodb+srv"))
		rc = mongo_ops(c->name, &ops, e);
	else
		rc = err_set(e, RC_INVALID, "%s: unknown kind of URI: use "
		    "sqlite:/path/file.db or mongodb://host/name", c->name);
	return rc == RC_OK ? ops->open(c, out, e) : rc;
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}
