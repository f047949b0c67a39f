/* clock.c - see clock.h. */
#include "config.h"

#include "utils/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "utils/buf.h"

/* End of the year 9999. */
static const int64_t AT_MAX = INT64_C(253402300799);

static int64_t system_ms(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const struct clock clock_system = { system_ms, NULL };

int64_t clock_mono_us(void)
{
	struct timespec ts;

	/* counts on while the machine sleeps: a lease must not outlast that */
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* glibc takes an unknown zone for UTC, so look whether the file exists. */
bool zone_valid(const char *zone)
{
	char path[128];

	if (strcmp(zone, "UTC") == 0)
		return true;
	for (const char *p = zone; *p != '\0'; p++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		    "0123456789_+-/", *p) == NULL)
			return false;
	if (zone[0] < 'A' || zone[0] > 'Z' || strchr(zone, '/') == NULL ||
	    zone[strlen(zone) - 1] == '/')
		return false;
	return str_format(path, sizeof(path), "/usr/share/zoneinfo/%s", zone) &&
	    access(path, R_OK) == 0;
}

/* Sets TZ only when it changes: setenv and tzset cost microseconds. */
static void zone_use(const char *zone)
{
	static char now[64];

	if (strcmp(now, zone) == 0)
		return;
	str_copy(now, sizeof(now), zone);
	setenv("TZ", zone, 1);
	tzset();
}

void zone_local(const char *zone, int64_t at, int32_t *day, int *minutes)
{
	struct tm tm;
	time_t t;

	if (at > AT_MAX)	/* no year beyond fits into a day's number */
		at = AT_MAX;
	if (at < -AT_MAX)
		at = -AT_MAX;
	t = (time_t)at;
	if (strcmp(zone, "UTC") == 0 || zone[0] == '\0') {
		int64_t d = at >= 0 ? at / 86400 : -((-at + 86399) / 86400);
		*day = (int32_t)d;
		*minutes = (int)((at - d * 86400) / 60);
		return;
	}
	zone_use(zone);
	if (localtime_r(&t, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	*day = day_from_ymd(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	*minutes = tm.tm_hour * 60 + tm.tm_min;
}

int32_t zone_day(const char *zone, int day_start_min, int64_t at)
{
	int32_t day;
	int minutes;

	zone_local(zone, at, &day, &minutes);
	return minutes < day_start_min ? day - 1 : day;
}

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
void day_to_ymd(int32_t day, int *y, int *m, int *d)
{
	int32_t z = day + 719468;
	int32_t era = (z >= 0 ? z : z - 146096) / 146097;
	int32_t doe = z - era * 146097;
	int32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int32_t mp = (5 * doy + 2) / 153;

	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = yoe + era * 400 + (*m <= 2);
}

int32_t day_from_ymd(int y, int m, int d)
{
	y -= m <= 2;
	int32_t era = (y >= 0 ? y : y - 399) / 400;
	int32_t yoe = y - era * 400;
	int32_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int32_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

int day_weekday(int32_t day)
{
	int32_t w = (day + 3) % 7;	/* 1970-01-01 was a Thursday */

	return w < 0 ? w + 7 : w;
}
