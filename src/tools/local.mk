tools_sources = \
	src/tools/ctl.c src/tools/ctl.h \
	src/tools/jobs.c \
	src/tools/options.c \
	src/tools/shards.c src/tools/shards.h \
	src/tools/shards_ask.c \
	src/tools/shards_change.c src/tools/shards_change.h \
	src/tools/shards_conf.c \
	src/tools/shards_files.c src/tools/shards_files.h \
	src/tools/shards_hosts.c src/tools/shards_hosts.h \
	src/tools/shards_json.c \
	src/tools/shards_look.c src/tools/shards_look.h \
	src/tools/shards_spool.c \
	src/tools/shards_move.c src/tools/shards_move.h \
	src/tools/shards_pause.c \
	src/tools/shards_plan.c \
	src/tools/shards_progress.c \
	src/tools/shards_reshard.c src/tools/shards_reshard.h \
	src/tools/shards_show.h \
	src/tools/shards_speed.c \
	src/tools/shards_status.c \
	src/tools/shards_table.c \
	src/tools/shards_view.c \
	src/tools/shards_watch.c \
	src/tools/shards_words.c \
	src/tools/spool.c \
	src/tools/webhook.c src/tools/webhook.h \
	src/tools/webhook_info.c \
	src/tools/backups.c src/tools/backups.h \
	src/tools/files.c src/tools/files.h \
	src/tools/shards_backup.c src/tools/shards_backup.h \
	src/tools/shards_copy.c src/tools/shards_copy.h \
	src/tools/shards_dump.c src/tools/shards_dump.h \
	src/tools/shards_findings.c src/tools/shards_findings.h \
	src/tools/shards_migrate.c src/tools/shards_place.c \
	src/tools/shards_restore.c src/tools/shards_restore.h \
	src/tools/shards_save.c \
	src/tools/shards_verify.c src/tools/shards_weigh.c
