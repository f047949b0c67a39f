-- The first schema of an embedded shard.
--
-- Every record carries user_id and slot (= user_id modulo 5040, never
-- negative).  Where a table is WITHOUT ROWID its key begins with the slot, so
-- that one b-tree serves a person's reads, keeps a person's rows together and
-- lists a slot when it moves.

CREATE TABLE meta (
	key	TEXT PRIMARY KEY,
	value	TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta VALUES ('slot_count', '5040');

CREATE TABLE users (
	user_id		INTEGER PRIMARY KEY,
	slot		INTEGER NOT NULL,
	rev		INTEGER NOT NULL,
	lang		INTEGER NOT NULL,
	flags		INTEGER NOT NULL,
	sex		INTEGER NOT NULL,
	birth_year	INTEGER NOT NULL,
	height_cm	INTEGER NOT NULL,
	weight_g	INTEGER NOT NULL,
	activity	INTEGER NOT NULL,
	goal		INTEGER NOT NULL,
	target_kcal	INTEGER NOT NULL,
	own_foods	INTEGER NOT NULL,
	day_start_min	INTEGER NOT NULL,
	zone		TEXT NOT NULL,
	zone_before	TEXT NOT NULL,
	day_start_before INTEGER NOT NULL,
	zone_since	INTEGER NOT NULL,
	name		TEXT NOT NULL,
	start_payload	TEXT NOT NULL,
	dialogue	TEXT NOT NULL,
	draft		TEXT NOT NULL,
	created_at	INTEGER NOT NULL,
	updated_at	INTEGER NOT NULL
) STRICT;

CREATE INDEX users_slot ON users (slot);

-- One row is one meal.  Nothing but the key is indexed: a day has at most 200
-- rows, which lie side by side, so its sum is a short scan and its order by
-- time a short sort.
CREATE TABLE food_analysis (
	slot		INTEGER NOT NULL,
	user_id		INTEGER NOT NULL,
	day		INTEGER NOT NULL,
	chat_id		INTEGER NOT NULL,
	message_id	INTEGER NOT NULL,
	at		INTEGER NOT NULL,
	edit_date	INTEGER NOT NULL,
	rev		INTEGER NOT NULL,
	deleted		INTEGER NOT NULL,
	cal		INTEGER NOT NULL,
	protein		INTEGER NOT NULL,
	fat		INTEGER NOT NULL,
	carb		INTEGER NOT NULL,
	items		TEXT NOT NULL,
	PRIMARY KEY (slot, user_id, day, chat_id, message_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE own_foods (
	slot		INTEGER NOT NULL,
	user_id		INTEGER NOT NULL,
	key		TEXT NOT NULL,
	name		TEXT NOT NULL,
	cal		INTEGER NOT NULL,
	protein		INTEGER NOT NULL,
	fat		INTEGER NOT NULL,
	carb		INTEGER NOT NULL,
	updated_at	INTEGER NOT NULL,
	PRIMARY KEY (slot, user_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
	id		TEXT NOT NULL PRIMARY KEY,
	user_id		INTEGER NOT NULL,
	slot		INTEGER NOT NULL,
	state		INTEGER NOT NULL,	-- 0 ready, 1 leased, 2 done, 3 dead
	kind		TEXT NOT NULL,
	payload		TEXT NOT NULL,
	run_at		INTEGER NOT NULL,
	tries		INTEGER NOT NULL,
	lease_token	INTEGER NOT NULL,
	lease_until	INTEGER NOT NULL,
	created_at	INTEGER NOT NULL,
	done_at		INTEGER NOT NULL,
	last_error	TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the worker looks for each second stays as small as what is pending.
CREATE INDEX jobs_open ON jobs (state, run_at) WHERE state < 2;
CREATE INDEX jobs_closed ON jobs (state, done_at) WHERE state >= 2;
CREATE INDEX jobs_slot ON jobs (slot, user_id);
