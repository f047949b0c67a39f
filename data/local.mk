# foods.db: built from the tables by a tool of its own, read by nutrition.
noinst_PROGRAMS += data/make-foods
data_make_foods_SOURCES = data/make-foods.c data/make-foods.h \
	data/make-aliases.c data/make-usda-rows.c data/make-words.c \
	data/make-fndds-rows.c
data_make_foods_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/data
data_make_foods_LDADD = $(CORE_LIBS)
FOOD_TABLES = $(srcdir)/data/usda_sr24.tsv $(srcdir)/data/aliases.tsv \
	$(srcdir)/data/words.tsv $(srcdir)/data/fndds.tsv \
	$(srcdir)/data/fndds_portions.tsv $(DICTIONARIES)
pkgdata_DATA += data/foods.db
CLEANFILES += data/foods.db data/foods.db.tmp
EXTRA_DIST += data/usda_sr24.tsv data/aliases.tsv data/words.tsv \
	data/fndds.tsv data/fndds_portions.tsv data/make-usda data/check-energy data/README.md

data/foods.db: data/make-foods$(EXEEXT) $(FOOD_TABLES)
	$(AM_V_GEN)rm -f $@.tmp && data/make-foods$(EXEEXT) $@.tmp $(FOOD_TABLES) && \
	mv -f $@.tmp $@
