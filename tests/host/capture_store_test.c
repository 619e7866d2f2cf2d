/* SPDX-License-Identifier: MIT */
/*
 * capture_store_test.c - the ring of captured packets against a list of all that was stored.
 */
// sources: services/capture/store.c
// includes: services/capture
#include "store.h"

#include <stdlib.h>

#include "test.h"

#define SMALL 1000u             /* bytes of the ring: no multiple of anything */

static uint8_t memory[SMALL];

/* Read [at, end) piece by piece of at most `step` bytes. */
static size_t all_read(struct store *s, struct store_reader *r, uint64_t step, uint8_t *out)
{
	const uint8_t *piece;
	size_t total = 0;
	uint64_t n;

	while ((n = store_read(s, r->at, r->end, step, &piece)) > 0) {
		memcpy(out + total, piece, n);
		total += n;
		store_read_done(r, n);
	}
	return total;
}

TEST(a_file_of_two_packets)
{
	struct pcap_record r;
	struct store_reader reader;
	uint8_t out[SMALL];
	struct store s;

	store_init(&s, memory, sizeof(memory));
	CHECK(store_add(&s, 3000002000ull, "abc", 3, 3));
	CHECK(store_add(&s, 4999999999ull, "defgh", 5, 60));
	store_read_begin(&s, &reader);
	CHECK_EQ(all_read(&s, &reader, 7, out), 2 * sizeof(r) + 8);
	store_read_end(&s, &reader);
	memcpy(&r, out, sizeof(r));
	CHECK_EQ(r.seconds, 3);
	CHECK_EQ(r.microseconds, 2);
	CHECK_EQ(r.bytes, 3);
	CHECK_EQ(r.length, 3);
	CHECK(memcmp(out + sizeof(r), "abc", 3) == 0);
	memcpy(&r, out + sizeof(r) + 3, sizeof(r));
	CHECK_EQ(r.seconds, 4);
	CHECK_EQ(r.microseconds, 999999);
	CHECK_EQ(r.length, 60);
	CHECK(s.readers == NULL);
}

TEST(a_packet_larger_than_the_memory_is_left_out)
{
	static const uint8_t large[SMALL];
	struct store s;

	store_init(&s, memory, sizeof(memory));
	CHECK(store_add(&s, 0, large, 10, 10));
	CHECK(!store_add(&s, 0, large, SMALL - 15, SMALL));
	CHECK_EQ(s.left_out, 1);
	CHECK(store_add(&s, 0, large, SMALL - 16, SMALL));
	CHECK_EQ(s.packets, 1);
}

TEST(what_a_reader_has_still_to_fetch_stays)
{
	static const uint8_t data[100];
	struct store_reader reader, late;
	struct store s;

	store_init(&s, memory, sizeof(memory));
	for (int i = 0; i < 8; i++)
		CHECK(store_add(&s, 0, data, 100, 100));        /* 116 bytes each: 928 */
	store_read_begin(&s, &reader);
	CHECK(!store_add(&s, 0, data, 100, 100));
	store_read_done(&reader, 115);
	CHECK(!store_add(&s, 0, data, 100, 100));
	store_read_done(&reader, 1);
	CHECK(store_add(&s, 0, data, 100, 100));
	store_read_begin(&s, &late);
	CHECK(!store_add(&s, 0, data, 100, 100));
	store_read_end(&s, &reader);
	CHECK(!store_add(&s, 0, data, 100, 100));
	store_read_end(&s, &late);
	CHECK(store_add(&s, 0, data, 100, 100));
	CHECK_EQ(s.left_out, 4);
	CHECK_EQ(s.packets, 8);
}

/* A reader that has fetched all holds nothing back. */
TEST(a_reader_at_the_end_holds_nothing)
{
	static const uint8_t data[100];
	struct store_reader reader;
	struct store s;

	store_init(&s, memory, sizeof(memory));
	store_read_begin(&s, &reader);
	for (int i = 0; i < 30; i++)
		CHECK(store_add(&s, 0, data, 100, 100));
	store_read_end(&s, &reader);
	CHECK_EQ(s.left_out, 0);
}

/* The model: every record ever stored, one after the other; the ring is its end. */
TEST(random_packets_and_readers)
{
	static uint8_t log[4000000];
	struct store_reader reader[3];
	uint64_t from[3];
	int active[3] = { 0 };
	struct store s;

	srand(1);
	store_init(&s, memory, sizeof(memory));
	for (int step = 0; step < 30000; step++) {
		uint8_t data[300], *record = log + s.tail;
		uint32_t bytes = (uint32_t)rand() % sizeof(data);
		struct pcap_record r = { (uint32_t)step, 0, bytes, bytes + 1 };
		int n = rand() % 3;
		const uint8_t *piece;

		for (uint32_t i = 0; i < bytes; i++)
			data[i] = (uint8_t)rand();
		REQUIRE(s.tail + sizeof(r) + sizeof(data) <= sizeof(log));
		if (store_add(&s, step * 1000000000ull, data, bytes, bytes + 1)) {
			memcpy(record, &r, sizeof(r));
			memcpy(record + sizeof(r), data, bytes);
		}
		CHECK(s.tail - s.head <= SMALL);
		if (!active[n] && rand() % 8 == 0) {
			store_read_begin(&s, &reader[n]);
			CHECK_EQ(reader[n].at, s.head);
			from[n] = reader[n].at;
			active[n] = 1;
		} else if (active[n]) {
			uint64_t got = store_read(&s, reader[n].at, reader[n].end,
						  (uint64_t)rand() % 400 + 1, &piece);

			CHECK(memcmp(piece, log + reader[n].at, got) == 0);
			CHECK(got > 0 || reader[n].at == reader[n].end);
			store_read_done(&reader[n], got);
			CHECK(reader[n].at >= from[n]);
			if (got == 0 || rand() % 20 == 0) {
				store_read_end(&s, &reader[n]);
				active[n] = 0;
			}
		}
	}
	CHECK(s.left_out > 0 && s.packets > 0);
}

TEST_MAIN
