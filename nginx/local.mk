EXTRA_DIST += \
	nginx/fastcgi_params \
	nginx/http.conf \
	nginx/locations.conf \
	nginx/nginx.conf.in \
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
	.ci/run
