dist_man_MANS += man/familybot.conf.5 man/shards.conf.5
dist_man_MANS += man/familybot.8
dist_man_MANS += man/familybot-worker.8 man/familybot-poll.8 man/familybotctl.8
dist_man_MANS += man/familybotctl.1

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = scripts/completion/familybotctl
EXTRA_DIST += CONTRIBUTING.md docs/dba.md docs/kinds.md docs/architecture.md \
	docs/glossary.md docs/processes.dot docs/processes.svg
