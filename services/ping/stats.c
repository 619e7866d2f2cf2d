/* SPDX-License-Identifier: MIT */
/*
 * stats.c - least, mean and greatest round trip, and losses.
 */
#include "stats.h"

#include <base/format.h>

#define NS_A_MS 1000000u

void stats_add(struct ping_stats *s, uint64_t round_trip_ns)
{
	if (s->answered == 0 || round_trip_ns < s->least_ns)
		s->least_ns = round_trip_ns;
	if (round_trip_ns > s->most_ns)
		s->most_ns = round_trip_ns;
	s->sum_ns += round_trip_ns;
	s->answered++;
}

char *stats_time(uint64_t ns, char out[STATS_TIME])
{
	format_buffer(out, STATS_TIME, "%lu.%03lu", (unsigned long)(ns / NS_A_MS),
		      (unsigned long)(ns % NS_A_MS / 1000));
	return out;
}

void stats_text(const struct ping_stats *s, char *out, size_t bytes)
{
	char least[STATS_TIME], mean[STATS_TIME], most[STATS_TIME];
	unsigned lost = s->sent > 0 ? (s->sent - s->answered) * 100ull / s->sent : 0;
	int n = format_buffer(out, bytes, "%u sent, %u answered, %u %% lost", s->sent, s->answered,
			      lost);

	if (s->answered > 0 && n > 0 && (size_t)n < bytes)
		format_buffer(out + n, bytes - (size_t)n, "; round trip min/avg/max %s/%s/%s ms",
			      stats_time(s->least_ns, least),
			      stats_time(s->sum_ns / s->answered, mean),
			      stats_time(s->most_ns, most));
}
