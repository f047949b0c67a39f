/*
 * fuzz_config.c - configuration files: the first byte says whether the rest is
 * familybot.conf or shards.conf.  The file lies in memory.
 */
#include "config.h"

#include "fuzz.h"

#include <unistd.h>
#include <sys/mman.h>

#include "config/config.h"
#include "utils/buf.h"

#define GOOD	"webhook_secret = \"0123456789abcdef0123456789abcdef\";\n" \
		"foods_db = \"foods.db\";\n"

enum { FILE_MAX = 16384 };

static int memory_file(const void *data, size_t size, char *path, size_t room)
{
	int fd = memfd_create("conf", 0);

	MUST(fd >= 0);
	MUST(write(fd, data, size) == (ssize_t)size);
	MUST(str_format(path, room, "/proc/self/fd/%d", fd));
	return fd;
}

static void load(const char *path)
{
	struct err e = { .text = "" };
	struct config *c = NULL;
	FILE *report = fopen("/dev/null", "w");

	MUST(report != NULL);
	if (config_load(path, report, &c, &e) == RC_OK) {
		MUST(c != NULL && c->nshards > 0 && 5040 % c->nshards == 0);
		config_free(c);
	} else {
		MUST(e.text[0] != '\0');
	}
	fclose(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], main_path[64], text[512];
	int fd, main_fd = -1;

	if (size < 1 || size > FILE_MAX)
		return 0;
	fd = memory_file(data + 1, size - 1, path, sizeof(path));
	if (data[0] & 1) {
		MUST(str_format(text, sizeof(text), GOOD
		    "shards_file = \"%s\";\n", path));
		main_fd = memory_file(text, strlen(text), main_path,
		    sizeof(main_path));
		load(main_path);
		close(main_fd);
	} else {
		load(path);
	}
	close(fd);
	return 0;
}
