/*
 * config.h - familybot.conf, shards.conf and the environment, checked.
 *
 * One table of options (options.c) says name, type, range, default,
 * environment variable and help of each; familybot.conf(5), `familybot -t`
 * and `familybotctl options` are made from it.  Environment overrides file;
 * NAME_FILE (or option name_file) reads a secret from a file.  Paths that are
 * not absolute are relative to the folder of familybot.conf.
 */
#ifndef FAMILYBOT_CONFIG_CONFIG_H
#define FAMILYBOT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "utils/err.h"

struct config_shard {
	char *name;		/* "shard0" */
	char *uri;		/* "sqlite:data/shard0.db" made absolute, or mongodb://… */
	int timeout_ms;
	bool leaving;		/* it is being emptied, and gets nothing new */
	int line;		/* in shards.conf, 0 when from MONGO_URL */
};

/* This host among several on the same shards. */
struct config_cluster {
	char *host;		/* NULL: it is the only one */
	int meta;		/* index in shards of the meta store */
	int lease_ms;
};

enum config_placement { PLACEMENT_MODULO, PLACEMENT_MINIMAL };

struct config {
	/* secrets: never printed */
	char *telegram_token;	/* "" when not set */
	char *webhook_secret;	/* 1-256 of A-Za-z0-9_- */
	char *openai_api_key;
	char *bot_username;	/* without @; "" not known */
	/* where others are */
	char *telegram_api;	/* https://api.telegram.org */
	char *openai_api;
	char *tmdb_api;
	char *s3_api;
	char *mongo_url;	/* one shard when no shards.conf is given */
	char *redis_url;	/* "" no cache */
	char *public_url;	/* https://…/api/webhook base for setWebhook */
	/* own files */
	char *state_dir;
	char *shards_file;
	char *foods_db;
	char *slots_map;	/* state_dir/data/slots.map */
	char *metrics_file;	/* state_dir/run/metrics.shm */
	char *pulse_file;	/* state_dir/run/pulse.shm */
	char *spool_db;		/* state_dir/data/spool.db */
	int64_t spool_max;	/* bytes of bodies; 0: nothing is spooled */
	char *worker_socket;	/* state_dir/run/worker.sock (datagram) */
	char *sqlite_sync;	/* "full" | "normal" */
	char *log_level;	/* error | warn | info | debug */
	char *default_zone;	/* "UTC" */
	bool debug;
	int64_t body_max;	/* bytes of a webhook body, 1 MiB */
	int64_t store_timeout_ms;	/* one MongoDB operation */
	int64_t fence_wait_ms;
	char *folder;		/* of familybot.conf */
	char *path;		/* of config_load, to load it again */
	/* shards.conf */
	struct config_shard *shards;
	int nshards;
	enum config_placement placement;
	struct config_cluster cluster;
};

/*
 * Loads path (NULL: FAMILYBOT_CONF, else SYSCONFDIR/familybot/familybot.conf;
 * a missing default file is an empty one).  Every problem found is written to
 * report as "file:line: error: what; what would be right" (or "warning:");
 * RC_INVALID when there was an error.
 */
MUST_CHECK enum rc config_load(const char *path, FILE *report,
    struct config **out, struct err *e);
void config_free(struct config *c);

/* One line per option for help and documentation checks:
 * name, type, default, environment variable, help; tab separated. */
void config_print_options(FILE *f);

/* Calls found for each secret that no log may show: tokens and keys whole, of
 * a URI its passwords, as they are written and without %XX. */
void config_secrets_each(const struct config *c,
    void (*found)(const char *secret));

/* uri with the password replaced by ***, for people. */
void config_uri_redact(const char *uri, char *out, size_t size);

#endif
