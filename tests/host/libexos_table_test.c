/* SPDX-License-Identifier: MIT */
/*
 * libexos_table_test.c - the list of table frames: no slot twice, none lost, runs stay in a frame;
 * where the claims of table frames lie: no place twice, none before its frame is there, none deep.
 */
// sources: libexos/table.c libexos/nodes.c
// includes: exo/base/include exo/include libexos libexos/include
#include "nodes.h"
#include "table.h"
#include "test.h"

#include <stdint.h>
#include <stdlib.h>

#define FRAMES 40u

static struct table_frame room[FRAMES];
static struct table_list list;

static void start(void)
{
	list = (struct table_list){ .at = room, .room = FRAMES };
}

TEST(table_entries_ascend_and_are_found)
{
	static const uint32_t pfn[] = { 70, 5, 900, 6, 71, 1 };

	start();
	for (uint32_t i = 0; i < 6; i++)
		table_insert(&list, pfn[i], i, 0);
	for (uint32_t i = 0; i < 6; i++) {
		REQUIRE(table_find(&list, pfn[i]));
		CHECK_EQ(table_find(&list, pfn[i])->index, i);
	}
	for (uint64_t i = 1; i < list.count; i++)
		CHECK(list.at[i - 1].pfn < list.at[i].pfn);
	CHECK(!table_find(&list, 2));
	CHECK(!table_find(&list, 901));
	CHECK_EQ(table_free(&list), 6 * 64);
}

TEST(table_hands_out_each_slot_once)
{
	static uint8_t seen[FRAMES * 64];
	uint64_t count = 0;
	exo_sid sid;

	start();
	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < FRAMES; i++)
		table_insert(&list, 100 + (i * 7) % FRAMES, i, i == 3 ? 0xff : 0);
	while ((sid = table_take(&list, 1))) {
		REQUIRE(sid / 64 >= 100 && sid / 64 < 100 + FRAMES);
		REQUIRE(!seen[sid - 6400]);
		seen[sid - 6400] = 1;
		count++;
	}
	CHECK_EQ(count, FRAMES * 64 - 8);
	CHECK_EQ(table_free(&list), 0);
}

TEST(table_refuses_what_is_not_taken)
{
	exo_sid sid;

	start();
	CHECK_EQ(table_take(&list, 1), 0);
	table_insert(&list, 10, 0, 0);
	CHECK(!table_give(&list, 10 * 64 + 5, 1));
	sid = table_take(&list, 3);
	CHECK_EQ(sid, 640);
	CHECK(!table_give(&list, sid, 4));
	CHECK(!table_give(&list, sid, 0));
	CHECK(!table_give(&list, 11 * 64, 1));
	CHECK(table_give(&list, sid, 3));
	CHECK(!table_give(&list, sid, 1));
	CHECK_EQ(table_free(&list), 64);
}

TEST(table_runs_stay_within_a_frame)
{
	unsigned runs = 0;
	exo_sid sid;

	start();
	table_insert(&list, 20, 0, 0x8000000000000001ul);
	table_insert(&list, 21, 1, 0xfffffffffffffff0ul);
	CHECK_EQ(table_take(&list, 63), 0);
	while ((sid = table_take(&list, 5))) {
		CHECK_EQ(sid / 64, (sid + 4) / 64);
		runs++;
	}
	CHECK_EQ(runs, 12);
	CHECK_EQ(table_take(&list, 4), 21 * 64);
	start();
	table_insert(&list, 20, 0, 0);
	CHECK_EQ(table_take(&list, 64), 20 * 64);
}

#define ADDED (1u << 21)        /* table frames: 134 million slots */
#define DEEPEST 12u             /* of the 24 that the kernel allows, the rest is for starters */

/* The model: each frame's depth, and the places used, frame by frame as the program adds them. */
TEST(nodes_lie_shallow_and_none_twice)
{
	uint8_t *depth = calloc(ADDED, 1);
	uint64_t *used = calloc(ADDED, sizeof(*used)), first_used = 0;
	unsigned deepest = 0;

	REQUIRE(depth && used);
	for (uint64_t n = 0; n < ADDED; n++) {
		struct node_place p = node_place(n);
		uint64_t *where = p.first ? &first_used : &used[p.frame];

		REQUIRE(p.slot < (p.first ? NODES_FIRST : 64u));
		REQUIRE(p.first || (p.frame < n && node_is_directory(p.frame)));
		REQUIRE(!(*where >> p.slot & 1));
		*where |= 1ul << p.slot;
		depth[n] = (uint8_t)(p.first ? 1 : depth[p.frame] + 1);
		deepest = depth[n] > deepest ? depth[n] : deepest;
		if (n == 16000)         /* a million slots */
			CHECK(deepest <= 7);
	}
	CHECK(deepest <= DEEPEST);
	free(depth);
	free(used);
}

TEST_MAIN
