/* SPDX-License-Identifier: MIT */
/*
 * stats.h - what came of the requests of a ping.
 */
#ifndef PING_STATS_H
#define PING_STATS_H

#include <stddef.h>
#include <stdint.h>

struct ping_stats {
	unsigned sent, answered;
	uint64_t least_ns, most_ns, sum_ns;     /* round trips */
};

void stats_add(struct ping_stats *s, uint64_t round_trip_ns);

/* A length of time in milliseconds with three decimals: "0.123". */
#define STATS_TIME 24u
char *stats_time(uint64_t ns, char out[STATS_TIME]);

/* "4 sent, 3 answered, 25 % lost; round trip min/avg/max 0.1/0.2/0.3 ms" */
void stats_text(const struct ping_stats *s, char *out, size_t bytes);

#endif
