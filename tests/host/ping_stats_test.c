/* SPDX-License-Identifier: MIT */
/*
 * ping_stats_test.c - the last line of a ping.
 */
// sources: services/ping/stats.c exo/base/format.c
// includes: services/ping
#include "stats.h"

#include "test.h"

static const char *text(const struct ping_stats *s)
{
	static char out[128];

	stats_text(s, out, sizeof(out));
	return out;
}

TEST(nothing_sent_and_nothing_answered)
{
	struct ping_stats s = { 0 };

	CHECK_STR(text(&s), "0 sent, 0 answered, 0 % lost");
	s.sent = 3;
	CHECK_STR(text(&s), "3 sent, 0 answered, 100 % lost");
}

TEST(round_trips)
{
	struct ping_stats s = { .sent = 4 };

	stats_add(&s, 3000000);
	stats_add(&s, 1000000);
	stats_add(&s, 2999999);
	CHECK_STR(text(&s), "4 sent, 3 answered, 25 % lost; round trip min/avg/max "
		  "1.000/2.333/3.000 ms");
}

TEST(a_short_buffer_is_not_overrun)
{
	struct ping_stats s = { .sent = 1 };
	char out[16];

	stats_add(&s, 1);
	for (size_t room = 1; room <= sizeof(out); room++) {
		memset(out, 'x', sizeof(out));
		stats_text(&s, out, room);
		CHECK(memchr(out, '\0', room) != NULL);
		CHECK(room == sizeof(out) || out[room] == 'x');
	}
}

TEST_MAIN
