libfamilybot_a_SOURCES += \
	src/store/migrate.c \
	src/store/migrate.h \
	src/store/store.c \
	src/store/store.h

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
