/* SPDX-License-Identifier: MIT */
/*
 * date.c - dates of HTTP (RFC 9110 5.6.7), from and to seconds since 1970.
 *
 * Days are counted in eras of 400 years that begin on March 1st, so that the leap day comes last.
 */
#include <base/format.h>
#include <base/string.h>
#include <services/http.h>

#define DAY_SECONDS 86400
#define ERA_DAYS    146097
#define EPOCH_DAYS  719468      /* 0000-03-01 to 1970-01-01 */
#define DATE_MOST   253402300799        /* 9999-12-31 23:59:59 */
#define DATE_LEAST  (-62167219200)      /* 0000-01-01 00:00:00 */

static const char months[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};
static const char days[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };

struct date {
	uint64_t year, month, day, hour, minute, second;        /* month from 0, day from 1 */
};

static int64_t date_days(const struct date *d)
{
	int64_t year = (int64_t)d->year - (d->month < 2), era, of_era, of_year;

	era = (year >= 0 ? year : year - 399) / 400;
	of_era = year - era * 400;
	of_year = (153 * ((int64_t)(d->month + 10) % 12) + 2) / 5 + (int64_t)d->day - 1;
	return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS;
}

static void date_of_days(int64_t day, struct date *d)
{
	int64_t z = day + EPOCH_DAYS, era = (z >= 0 ? z : z - ERA_DAYS + 1) / ERA_DAYS;
	int64_t left = z - era * ERA_DAYS;
	int64_t year = (left - left / 1460 + left / 36524 - left / 146096) / 365;
	int64_t of_year = left - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	d->day = (uint64_t)(of_year - (153 * month + 2) / 5 + 1);
	d->month = (uint64_t)((month + 2) % 12);
	d->year = (uint64_t)(year + era * 400 + (d->month < 2));
}

void http_date_write(int64_t seconds, char out[HTTP_DATE_BYTES])
{
	struct date d;
	int64_t day, rest;

	seconds = seconds > DATE_MOST ? DATE_MOST : seconds < DATE_LEAST ? DATE_LEAST : seconds;
	day = seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0);
	rest = seconds - day * DAY_SECONDS;
	date_of_days(day, &d);
	format_buffer(out, HTTP_DATE_BYTES, "%s, %02u %s %04u %02u:%02u:%02u GMT",
		      days[(day % 7 + 7) % 7], (unsigned)d.day, months[d.month], (unsigned)d.year,
		      (unsigned)(rest / 3600), (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
}

/* Take `bytes` digits, of which the first may be a space, and then the byte `end` (0: none). */
static bool take(struct http_text *t, size_t bytes, char end, uint64_t *value)
{
	struct http_text digits = { t->at, bytes };

	if (t->bytes < bytes + (end != 0) || (end != 0 && t->at[bytes] != end))
		return false;
	if (bytes == 2 && digits.at[0] == ' ')
		digits = (struct http_text){ t->at + 1, 1 };
	if (http_text_number(digits, value) < 0)
		return false;
	t->at += bytes + (end != 0);
	t->bytes -= bytes + (end != 0);
	return true;
}

static bool take_month(struct http_text *t, char end, uint64_t *month)
{
	for (*month = 0; *month < 12; ++*month) {
		if (t->bytes < 4 || t->at[3] != end || memcmp(t->at, months[*month], 3) != 0)
			continue;
		t->at += 4;
		t->bytes -= 4;
		return true;
	}
	return false;
}

static bool take_time(struct http_text *t, char end, struct date *d)
{
	return take(t, 2, ':', &d->hour) && take(t, 2, ':', &d->minute) &&
	       take(t, 2, end, &d->second);
}

/* 06 Nov 1994 08:49:37 GMT */
static bool read_fixed(struct http_text t, struct date *d)
{
	return take(&t, 2, ' ', &d->day) && take_month(&t, ' ', &d->month) &&
	       take(&t, 4, ' ', &d->year) && take_time(&t, ' ', d) && http_text_is(t, "GMT");
}

/* 06-Nov-94 08:49:37 GMT; two digits of a year are those from 1970 to 2069. */
static bool read_dashed(struct http_text t, struct date *d)
{
	if (!take(&t, 2, '-', &d->day) || !take_month(&t, '-', &d->month) ||
	    !take(&t, 2, ' ', &d->year) || !take_time(&t, ' ', d))
		return false;
	d->year += d->year < 70 ? 2000 : 1900;
	return http_text_is(t, "GMT");
}

/* Nov  6 08:49:37 1994 */
static bool read_plain(struct http_text t, struct date *d)
{
	return take_month(&t, ' ', &d->month) && take(&t, 2, ' ', &d->day) &&
	       take_time(&t, ' ', d) && take(&t, 4, 0, &d->year) && t.bytes == 0;
}

static bool date_good(const struct date *d)
{
	return d->day >= 1 && d->day <= 31 && d->hour < 24 && d->minute < 60 && d->second <= 60;
}

int http_date_read(struct http_text text, int64_t *seconds)
{
	const char *comma = memchr(text.at, ',', text.bytes);
	const char *space = memchr(text.at, ' ', text.bytes);
	struct http_text rest;
	struct date d;
	bool good;

	/* The name of the day says nothing that the date does not. */
	if (space == NULL || space == text.at + text.bytes - 1)
		return -1;
	rest = (struct http_text){ space + 1, text.bytes - (size_t)(space - text.at) - 1 };
	if (comma == NULL)
		good = read_plain(rest, &d);
	else
		good = comma == space - 1 && (read_fixed(rest, &d) || read_dashed(rest, &d));
	if (!good || !date_good(&d))
		return -1;
	*seconds = date_days(&d) * DAY_SECONDS +
		   (int64_t)(d.hour * 3600 + d.minute * 60 + d.second);
	return 0;
}
