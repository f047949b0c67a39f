dist_man_MANS += man/familybot.conf.5 man/shards.conf.5
dist_man_MANS += man/familybot.8
