tools_sources = \
	src/tools/ctl.c src/tools/ctl.h \
	src/tools/jobs.c \
	src/tools/options.c \
	src/tools/shards/commands.c src/tools/shards/commands.h \
	src/tools/shards/ask.c \
	src/tools/shards/change.c src/tools/shards/change.h \
	src/tools/shards/conf.c \
	src/tools/shards/shard_files.c src/tools/shards/shard_files.h \
	src/tools/shards/hosts.c src/tools/shards/hosts.h \
	src/tools/shards/json.c \
	src/tools/shards/look.c src/tools/shards/look.h \
	src/tools/shards/spool.c \
	src/tools/shards/move.c src/tools/shards/move.h \
	src/tools/shards/pause.c \
	src/tools/shards/plan.c \
	src/tools/shards/progress.c \
	src/tools/shards/reshard.c src/tools/shards/reshard.h \
	src/tools/shards/show.h \
	src/tools/shards/speed.c \
	src/tools/shards/status.c \
	src/tools/shards/table.c \
	src/tools/shards/view.c \
	src/tools/shards/follow.c \
	src/tools/shards/words.c \
	src/tools/spool.c \
	src/tools/food.c \
	src/tools/who.c \
	src/tools/webhook.c src/tools/webhook.h \
	src/tools/webhook_info.c \
	src/tools/shards/backups.c src/tools/shards/backups.h \
	src/tools/files.c src/tools/files.h \
	src/tools/shards/backup.c src/tools/shards/backup.h \
	src/tools/shards/copy.c src/tools/shards/copy.h \
	src/tools/shards/dump.c src/tools/shards/dump.h \
	src/tools/shards/findings.c src/tools/shards/findings.h \
	src/tools/shards/migrate.c src/tools/shards/place.c \
	src/tools/shards/restore.c src/tools/shards/restore.h \
	src/tools/shards/save.c \
	src/tools/shards/verify.c src/tools/shards/weigh.c
