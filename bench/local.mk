# Benchmarks: built with all, run by `make bench` (bench/run --help tells more).
noinst_PROGRAMS += bench/echo bench/outbox bench/replay bench/reshard
bench_echo_SOURCES = bench/echo.c
bench_echo_LDADD = $(CORE_LIBS)
bench_outbox_SOURCES = bench/outbox.c $(shards_sources)
bench_outbox_LDADD = $(NET_LIBS)
bench_replay_SOURCES = bench/replay.c $(guard_sources) $(answerer_sources) \
	$(shards_sources)
bench_replay_LDADD = $(CORE_LIBS) $(CRYPTO_LIBS)
bench_reshard_SOURCES = bench/reshard.c
bench_reshard_LDADD = $(CORE_LIBS)
EXTRA_DIST += \
	bench/RESULTS.md \
	bench/dead-shard \
	bench/dead_shard_bench.py \
	bench/growth.py \
	bench/instructions \
	bench/instructions.budget \
	bench/measure.py \
	bench/peers/aiogram3/bot.py \
	bench/peers/common/phrases.py \
	bench/peers/common/reply.py \
	bench/peers/common/seed.py \
	bench/peers/common/storage.py \
	bench/peers/fastapi/monolith.py \
	bench/peers/nginx/locations.conf \
	bench/peers/nginx/upstream.conf.in \
	bench/peers/requirements.txt \
	bench/procfs.py \
	bench/sections.py \
	bench/report.py \
	bench/reshard-load \
	bench/roundtrips.py \
	bench/run \
	bench/stacks.py \
	bench/update.lua

.PHONY: bench
bench: all
	$(srcdir)/bench/run --build $(abs_builddir)
