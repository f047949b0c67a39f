check_PROGRAMS += test_config
test_config_SOURCES = tests/unit/test_config.c tests/unit/config_place.h
test_config_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_config_shards
test_config_shards_SOURCES = tests/unit/test_config_shards.c tests/unit/config_place.h
test_config_shards_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_shards_ctl
test_shards_ctl_SOURCES = tests/unit/test_shards_ctl.c tests/unit/config_place.h
test_shards_ctl_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_web test_routes test_fcgi test_fcgi_peers test_fcgi_parse \
	test_metrics
test_web_SOURCES = tests/unit/test_web.c tests/unit/web_place.c \
	tests/unit/web_place.h
test_web_LDADD = $(TEST_LIBS)
test_routes_SOURCES = tests/unit/test_routes.c tests/unit/web_place.c \
	tests/unit/web_place.h
test_routes_LDADD = $(TEST_LIBS)
test_fcgi_SOURCES = tests/unit/test_fcgi.c tests/unit/fcgi_place.c \
	tests/unit/fcgi_place.h
test_fcgi_LDADD = $(TEST_LIBS)
test_fcgi_peers_SOURCES = tests/unit/test_fcgi_peers.c \
	tests/unit/fcgi_place.c tests/unit/fcgi_place.h
test_fcgi_peers_LDADD = $(TEST_LIBS)
test_fcgi_parse_SOURCES = tests/unit/test_fcgi_parse.c
test_fcgi_parse_LDADD = $(TEST_LIBS)
test_metrics_SOURCES = tests/unit/test_metrics.c
test_metrics_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_store_conformance test_sqlite test_slots test_router test_queue
test_store_conformance_SOURCES = tests/unit/test_store_conformance.c \
	tests/unit/conformance.c tests/unit/conformance.h \
	tests/unit/conformance_user.c tests/unit/conformance_food.c \
	tests/unit/conformance_days.c tests/unit/conformance_job.c \
	tests/unit/conformance_slot.c tests/unit/conformance_move.c \
	tests/unit/conformance_meta.c
test_store_conformance_LDADD = $(TEST_LIBS)
test_sqlite_SOURCES = tests/unit/test_sqlite.c \
	tests/unit/conformance.c tests/unit/conformance.h
test_sqlite_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_record test_sqlite_moves
test_record_SOURCES = tests/unit/test_record.c
test_record_LDADD = $(TEST_LIBS)
test_sqlite_moves_SOURCES = tests/unit/test_sqlite_moves.c \
	tests/unit/conformance.c tests/unit/conformance.h \
	tests/unit/conformance_slot.c
test_sqlite_moves_LDADD = $(TEST_LIBS)
test_slots_SOURCES = tests/unit/test_slots.c \
	tests/unit/slots_place.c tests/unit/slots_place.h
test_slots_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_slots_move
test_slots_move_SOURCES = tests/unit/test_slots_move.c \
	tests/unit/slots_place.c tests/unit/slots_place.h
test_slots_move_LDADD = $(TEST_LIBS)
test_router_SOURCES = tests/unit/test_router.c \
	tests/unit/router_place.c tests/unit/router_place.h
test_router_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_router_move
test_router_move_SOURCES = tests/unit/test_router_move.c \
	tests/unit/router_place.c tests/unit/router_place.h
test_router_move_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_shards
test_shards_SOURCES = tests/unit/test_shards.c $(shards_sources)
test_shards_LDADD = $(TEST_LIBS)
test_queue_SOURCES = tests/unit/test_queue.c \
	tests/unit/conformance.c tests/unit/conformance.h
test_queue_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_utils test_text test_bot_food test_bot_people
test_utils_SOURCES = tests/unit/test_utils.c
test_utils_LDADD = $(TEST_LIBS)
test_text_SOURCES = tests/unit/test_text.c
test_text_LDADD = $(TEST_LIBS)
test_bot_food_SOURCES = tests/unit/test_bot_food.c \
	tests/unit/bot_world.c tests/unit/bot_world.h
test_bot_food_LDADD = $(TEST_LIBS)
test_bot_people_SOURCES = tests/unit/test_bot_people.c \
	tests/unit/bot_world.c tests/unit/bot_world.h
test_bot_people_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_bot_again test_bot_doors test_bot_dialogues
check_PROGRAMS += test_bot_intents
test_bot_intents_SOURCES = tests/unit/test_bot_intents.c \
	tests/unit/bot_world.c tests/unit/bot_world.h
test_bot_intents_LDADD = $(TEST_LIBS)
test_bot_again_SOURCES = tests/unit/test_bot_again.c \
	tests/unit/bot_world.c tests/unit/bot_world.h
test_bot_again_LDADD = $(TEST_LIBS)
test_bot_doors_SOURCES = tests/unit/test_bot_doors.c \
	tests/unit/bot_world.c tests/unit/bot_world.h
test_bot_doors_LDADD = $(TEST_LIBS)
test_bot_dialogues_SOURCES = tests/unit/test_bot_dialogues.c \
	tests/unit/bot_world.c tests/unit/bot_world.h
test_bot_dialogues_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_phrases test_nutrition test_nutrition_said test_label test_food_model
nutrition_place = tests/unit/nutrition_place.c tests/unit/nutrition_place.h
test_nutrition_SOURCES = tests/unit/test_nutrition.c $(nutrition_place)
test_nutrition_LDADD = $(TEST_LIBS)
test_nutrition_said_SOURCES = tests/unit/test_nutrition_said.c $(nutrition_place)
test_nutrition_said_LDADD = $(TEST_LIBS)
test_label_SOURCES = tests/unit/test_label.c
test_label_LDADD = $(TEST_LIBS)
test_food_model_SOURCES = tests/unit/test_food_model.c
test_food_model_LDADD = $(TEST_LIBS)
test_phrases_SOURCES = tests/unit/test_phrases.c
test_phrases_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/data/phrases.tsv tests/data/unseen.tsv
check_PROGRAMS += test_telegram test_worker test_rate test_poller
http_server = tests/unit/http_server.c tests/unit/http_server.h
test_telegram_SOURCES = tests/unit/test_telegram.c $(http_server)
test_telegram_LDADD = $(TEST_LIBS) $(CURL_LIBS) -lpthread
test_worker_SOURCES = tests/unit/test_worker.c $(http_server) \
	tests/unit/worker_place.c tests/unit/worker_place.h
test_worker_LDADD = $(TEST_LIBS) $(CURL_LIBS) -lpthread
check_PROGRAMS += test_worker_order
test_worker_order_SOURCES = tests/unit/test_worker_order.c $(http_server) \
	tests/unit/worker_place.c tests/unit/worker_place.h
test_worker_order_LDADD = $(TEST_LIBS) $(CURL_LIBS) -lpthread
check_PROGRAMS += test_worker_move
test_worker_move_SOURCES = tests/unit/test_worker_move.c $(http_server) \
	tests/unit/worker_place.c tests/unit/worker_place.h
test_worker_move_LDADD = $(TEST_LIBS) $(CURL_LIBS) -lpthread
check_PROGRAMS += test_watch
test_watch_SOURCES = tests/unit/test_watch.c $(http_server) \
	tests/unit/worker_place.c tests/unit/worker_place.h
test_watch_LDADD = $(TEST_LIBS) $(CURL_LIBS) -lpthread
check_PROGRAMS += test_gauges
test_gauges_SOURCES = tests/unit/test_gauges.c $(http_server) \
	tests/unit/worker_place.c tests/unit/worker_place.h
test_gauges_LDADD = $(TEST_LIBS) $(CURL_LIBS) -lpthread
test_rate_SOURCES = tests/unit/test_rate.c
test_rate_LDADD = $(TEST_LIBS)
test_poller_SOURCES = tests/unit/test_poller.c $(http_server)
test_poller_LDADD = $(TEST_LIBS) $(CURL_LIBS) -lpthread
check_PROGRAMS += test_pulse test_breaker test_shared
test_pulse_SOURCES = tests/unit/test_pulse.c \
	tests/unit/pulse_place.c tests/unit/pulse_place.h
test_pulse_LDADD = $(TEST_LIBS)
test_breaker_SOURCES = tests/unit/test_breaker.c \
	tests/unit/pulse_place.c tests/unit/pulse_place.h
test_breaker_LDADD = $(TEST_LIBS)
test_shared_SOURCES = tests/unit/test_shared.c
test_shared_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_verify test_verify_live
verify_place = tests/unit/verify_place.c tests/unit/verify_place.h \
	tests/unit/conformance.c tests/unit/conformance.h
test_verify_SOURCES = tests/unit/test_verify.c $(verify_place)
test_verify_LDADD = $(TEST_LIBS)
test_verify_live_SOURCES = tests/unit/test_verify_live.c $(verify_place)
test_verify_live_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_spool test_spool_held test_spool_kill
spool_place = tests/unit/spool_place.c tests/unit/spool_place.h
test_spool_SOURCES = tests/unit/test_spool.c $(spool_place)
test_spool_LDADD = $(TEST_LIBS)
test_spool_held_SOURCES = tests/unit/test_spool_held.c $(spool_place)
test_spool_held_LDADD = $(TEST_LIBS)
test_spool_kill_SOURCES = tests/unit/test_spool_kill.c $(spool_place)
test_spool_kill_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_reshard_kill
test_reshard_kill_SOURCES = tests/unit/test_reshard_kill.c tests/unit/reshard_world.c \
	tests/unit/reshard_world.h tests/unit/reshard_writer.c tests/unit/reshard_check.c
test_reshard_kill_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_cluster
test_cluster_SOURCES = tests/unit/test_cluster.c tests/unit/cluster_place.h \
	tests/unit/cluster_load.h
test_cluster_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_plan test_journal test_reshard test_step
reshard_place = tests/unit/reshard_place.c tests/unit/reshard_place.h
test_plan_SOURCES = tests/unit/test_plan.c $(reshard_place)
test_plan_LDADD = $(TEST_LIBS)
test_journal_SOURCES = tests/unit/test_journal.c $(reshard_place)
test_journal_LDADD = $(TEST_LIBS)
test_reshard_SOURCES = tests/unit/test_reshard.c $(reshard_place)
test_reshard_LDADD = $(TEST_LIBS)
test_step_SOURCES = tests/unit/test_step.c $(reshard_place)
test_step_LDADD = $(TEST_LIBS)
test_step_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=msync,--wrap=nanosleep
check_PROGRAMS += test_drain test_later
test_drain_SOURCES = tests/unit/test_drain.c $(http_server) \
	tests/unit/worker_place.c tests/unit/worker_place.h
test_drain_LDADD = $(TEST_LIBS) $(CURL_LIBS) -lpthread
test_later_SOURCES = tests/unit/test_later.c \
	src/app/applier.c src/app/applier.h $(answerer_sources) \
	tests/unit/bot_world.c tests/unit/bot_world.h
test_later_LDADD = $(TEST_LIBS)
