libfamilybot_a_SOURCES += \
	src/store/migrate.c src/store/migrate.h \
	src/store/pulse.c src/store/pulse.h src/store/pulse_breaker.c src/store/pulse_file.h \
	src/store/pulse_stats.c \
	src/store/shared.c src/store/shared.h \
	src/store/router.c src/store/router.h \
	src/store/router_impl.h src/store/router_shard.c \
	src/store/slots.c src/store/slots.h \
	src/store/slots_file.c src/store/slots_lock.c \
	src/store/slots_map.h src/store/slots_shard.c \
	src/store/sqlite.c src/store/sqlite.h \
	src/store/sqlite_backup.c \
	src/store/sqlite_bind.c \
	src/store/sqlite_check.c \
	src/store/sqlite_food.c \
	src/store/sqlite_info.c \
	src/store/sqlite_job.c \
	src/store/sqlite_mark.c \
	src/store/sqlite_meta.c \
	src/store/sqlite_slot.c \
	src/store/sqlite_sql.c \
	src/store/sqlite_user.c \
	src/store/store.c src/store/store.h \
	src/store/turn.c src/store/turn.h

# One migration per file, in order; they are compiled into the library.
SQL_FILES = \
	sql/0001-schema.sql \
	sql/0002-moves.sql
EXTRA_DIST += $(SQL_FILES) build-aux/embed-sql
nodist_libfamilybot_a_SOURCES += src/store/migrations.c
BUILT_SOURCES += src/store/migrations.c
CLEANFILES += src/store/migrations.c
src/store/migrations.c: $(SQL_FILES) build-aux/embed-sql
	$(AM_V_GEN)$(MKDIR_P) src/store && cd $(srcdir) && \
	build-aux/embed-sql $(SQL_FILES) > $(abs_builddir)/src/store/migrations.tmp && \
	mv $(abs_builddir)/src/store/migrations.tmp $(abs_builddir)/$@
