EXTRA_DIST += \
	nginx/fastcgi_params \
	nginx/http.conf \
	nginx/locations.conf \
	nginx/nginx.conf.in \
	nginx/secret.conf.in \
	nginx/telegram-networks.conf \
	nginx/tls.conf.example \
	nginx/upstream.conf.in \
	build-aux/packages.txt \
	familybot.conf \
	quickstart \
	scripts/build.sh \
	scripts/chat \
	scripts/common.sh \
	scripts/stack.sh \
	scripts/state.sh \
	scripts/status.sh \
	shards.conf \
	systemd/familybot-worker.service \
	systemd/familybot.service \
	systemd/familybot.socket \
	.ci/run \
	tests/check \
	tests/gates/docs \
	tests/gates/layers \
	tests/gates/lint \
	tests/gates/nginx \
	tests/gates/sizes \
	tests/gates/words \
	tests/stages/00-build \
	tests/corpus/food \
	tests/stages/10-unit \
	tests/stages/15-food \
	tests/stages/20-gates \
	tests/stages/40-quickstart \
	tests/stages/70-distcheck \
	tests/stages/load.py

TESTS += tests/gates/layers
