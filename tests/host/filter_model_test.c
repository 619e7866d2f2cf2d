/* SPDX-License-Identifier: MIT */
/*
 * filter_model_test.c - the classifier against a model, and its limits one by one.
 */
// sources: exo/filter.c exo/filter_check.c exo/filter_find.c exo/filter_group.c
// includes: exo
// flags: -include tests/host/claims_fake.h -fno-builtin
#include <stdlib.h>

#include "test.h"

#define MUST(promise) CHECK(promise)
#include "filter_model.h"

#define RW (EXO_R_READ | EXO_R_WRITE)

static unsigned pick(unsigned n) { return (unsigned)rand() % n; }

/* --- random runs --- */
static void run_random(unsigned pattern_style, unsigned hashes)
{
	for (unsigned seed = 1; seed <= 8 && !test_reason[0]; seed++) {
		srand(seed);
		model_start(pattern_style, hashes);
		for (unsigned step = 0; step < 3000 && !test_reason[0]; step++) {
			model_step();
			if (step % 512 == 0) {
				disjoint_check();
				addresses_check();
			}
		}
		if (!test_reason[0])
			model_end();
		if (test_reason[0])
			fprintf(stderr, "style %u, hashes %u, seed %u\n", pattern_style, hashes,
				seed);
	}
}

TEST(filter_random_fields) { run_random(0, 0); }
TEST(filter_random_fields_all_hashes_equal) { run_random(0, 1); }
TEST(filter_random_fields_few_hashes) { run_random(0, 2); }
TEST(filter_random_fields_deep_trees) { run_random(0, 3); }
TEST(filter_random_nested) { run_random(1, 0); }
TEST(filter_random_nested_all_hashes_equal) { run_random(1, 1); }
TEST(filter_random_more_shapes_than_are_looked_up) { run_random(2, 0); }
TEST(filter_random_more_shapes_few_hashes) { run_random(2, 2); }

/* --- by hand --- */
static struct filter *start(void)
{
	memset(fake_ram, 0, sizeof(fake_ram));
	filter_seed(99);
	filter_root(filter_at(ROOT), 0);
	return filter_at(ROOT);
}

/* A spec that names `bytes` bytes at `at` on both sides. */
static struct exo_nic_spec spec_at(unsigned at, unsigned bytes, uint64_t value)
{
	struct exo_nic_spec s = { 0 };

	memset((uint8_t *)s.receive.mask + at, 0xff, bytes);
	memcpy((uint8_t *)s.receive.value + at, &value, bytes);
	s.send = s.receive;
	return s;
}

static void spec_add(struct exo_nic_spec *s, unsigned at, unsigned bytes, uint64_t value)
{
	struct exo_nic_spec more = spec_at(at, bytes, value);

	for (unsigned i = 0; i < EXO_NIC_WORDS; i++) {
		s->receive.mask[i] |= more.receive.mask[i];
		s->receive.value[i] |= more.receive.value[i];
	}
	s->send = s->receive;
}

static int make(struct filter *parent, unsigned pfn, const struct exo_nic_spec *added,
                unsigned rights, bool share)
{
	struct exo_nic_spec whole;
	int err = filter_check(parent, added, rights, share, &whole);

	if (!err)
		filter_attach(parent, filter_at(pfn), &whole, rights, share);
	return err;
}

static int make_at(struct filter *parent, unsigned pfn, unsigned at, unsigned bytes, uint64_t value)
{
	struct exo_nic_spec s = spec_at(at, bytes, value);

	return make(parent, pfn, &s, RW, false);
}

static uint64_t find_at(unsigned at, unsigned bytes, uint64_t value)
{
	struct exo_nic_spec s = spec_at(at, bytes, value);

	return filter_pfn(filter_find(filter_at(ROOT), s.receive.value));
}

TEST(filter_root_takes_what_nobody_named)
{
	struct filter *root = start();

	CHECK_EQ(find_at(0, 8, 1), ROOT);
	CHECK_EQ(make_at(root, 10, 36, 2, 80), 0);
	CHECK_EQ(make_at(root, 11, 36, 2, 81), 0);
	CHECK_EQ(make_at(filter_at(10), 12, 30, 4, 7), 0);
	CHECK_EQ(find_at(36, 2, 80), 10);
	CHECK_EQ(find_at(36, 2, 81), 11);
	CHECK_EQ(find_at(36, 2, 82), ROOT);
	CHECK_EQ(find_at(30, 4, 7), ROOT);
	CHECK_EQ(filter_at(12)->pub.parent, 10);
	CHECK(filter_has_children(root) && filter_has_children(filter_at(10)));
	CHECK(!filter_has_children(filter_at(11)));
}

/* The last of 128 bytes counts, and nothing behind it is read (the sanitizer watches). */
TEST(filter_reads_just_128_bytes)
{
	struct filter *root = start();
	uint8_t *packet = calloc(1, EXO_NIC_HEADER);

	CHECK_EQ(make_at(root, 10, 120, 8, 0x77ul << 56), 0);
	packet[127] = 0x77;
	CHECK_EQ(filter_pfn(filter_find(root, packet)), 10);
	CHECK(filter_receives(filter_at(10), packet) && filter_sends(filter_at(10), packet));
	CHECK(!filter_sends(filter_at(11), packet) && !filter_receives(filter_at(11), packet));
	packet[120] = 1;
	CHECK_EQ(filter_pfn(filter_find(root, packet)), ROOT);
	CHECK(!filter_receives(filter_at(10), packet) && !filter_sends(filter_at(10), packet));
	free(packet);
}

TEST(filter_check_refuses_wrong_patterns)
{
	struct filter *root = start();
	struct exo_nic_spec s = spec_at(12, 2, 0x0608), whole;

	s.receive.value[15] = 1;
	CHECK_EQ(filter_check(root, &s, RW, false, &whole), -EXO_E_RANGE);
	s.receive.value[15] = 0;
	s.send.value[0] = 1;
	CHECK_EQ(filter_check(root, &s, RW, false, &whole), -EXO_E_RANGE);
	s.send.value[0] = 0;
	CHECK_EQ(make(root, 10, &s, RW, false), 0);
	CHECK_EQ(make_at(filter_at(10), 11, 13, 1, 7), -EXO_E_RANGE);
	CHECK_EQ(make_at(filter_at(10), 11, 13, 1, 6), 0);
	s = spec_at(13, 1, 7);
	s.receive = (struct exo_pattern){ 0 };
	CHECK_EQ(make(filter_at(10), 12, &s, EXO_R_READ, true), -EXO_E_RANGE);
}

TEST(filter_check_refuses_overlapping_siblings)
{
	struct filter *root = start();
	struct exo_nic_spec s = spec_at(36, 2, 80), whole;

	CHECK_EQ(make(root, 10, &s, RW, false), 0);
	CHECK_EQ(make(root, 11, &s, RW, false), -EXO_E_SPLIT);
	CHECK_EQ(make_at(root, 11, 30, 4, 1), -EXO_E_SPLIT);
	CHECK_EQ(make_at(root, 11, 36, 1, 80), -EXO_E_SPLIT);
	CHECK_EQ(make_at(root, 11, 36, 1, 81), 0);
	s.receive = spec_at(36, 2, 0x0b00).receive;
	CHECK_EQ(filter_check(root, &s, RW, false, &whole), -EXO_E_SPLIT);
	CHECK_EQ(filter_check(root, &s, EXO_R_READ, false, &whole), 0);
	CHECK_EQ(filter_check(root, &s, EXO_R_WRITE, false, &whole), -EXO_E_SPLIT);
	CHECK_EQ(filter_check(root, &s, RW, true, &whole), 0);
	filter_detach(filter_at(10));
	CHECK_EQ(filter_check(root, &s, RW, false, &whole), 0);
}

/* Who only receives and who only sends are never in each other's way, nor found for the other. */
TEST(filter_sides_are_apart)
{
	struct filter *root = start();
	struct exo_nic_spec s = spec_at(36, 2, 80);

	CHECK_EQ(make(root, 10, &s, EXO_R_WRITE, false), 0);
	CHECK_EQ(find_at(36, 2, 80), ROOT);
	CHECK_EQ(make(root, 11, &s, EXO_R_READ, false), 0);
	CHECK_EQ(find_at(36, 2, 80), 11);
	CHECK_EQ(make(filter_at(11), 12, &s, RW, false), -EXO_E_RIGHTS);
	CHECK_EQ(make(filter_at(11), 12, &s, EXO_R_READ, false), 0);
	CHECK_EQ(find_at(36, 2, 80), 12);
}

TEST(filter_depth_has_a_limit)
{
	struct filter *f = start();
	struct exo_nic_spec none = { 0 };

	for (unsigned i = 0; i < FILTER_DEPTH; i++, f = filter_at(9 + i))
		CHECK_EQ(make(f, 10 + i, &none, RW, false), 0);
	CHECK_EQ(find_at(0, 8, 5), 9 + FILTER_DEPTH);
	CHECK_EQ(make(f, 40, &none, RW, false), -EXO_E_ROOM);
	CHECK_EQ(make(f, 40, &none, RW, true), -EXO_E_ROOM);
	filter_rehang(filter_at(15), filter_at(13));
	filter_detach(filter_at(14));
	CHECK_EQ(make(f, 40, &none, RW, false), 0);
	CHECK_EQ(find_at(0, 8, 5), 40);
}

TEST(filter_shapes_have_a_limit)
{
	struct filter *root = start();

	for (unsigned i = 0; i < FILTER_SHAPES; i++) {
		struct exo_nic_spec s = spec_at(0, 2, i);

		spec_add(&s, 8 + i, 1, 1);
		CHECK_EQ(make(root, 10 + i, &s, RW, false), 0);
	}
	CHECK_EQ(make_at(root, 200, 0, 2, 500), -EXO_E_ROOM);
	filter_detach(filter_at(20));
	CHECK_EQ(make_at(root, 200, 0, 2, 500), 0);
	CHECK_EQ(make_at(root, 201, 0, 2, 501), 0);
	CHECK_EQ(find_at(0, 2, 500), 200);
}

/* What an heir gets beyond the limit is not looked up until there is room, the oldest first. */
TEST(filter_shapes_beyond_the_limit_wait)
{
	struct filter *root = start();
	struct exo_nic_spec s, other, whole;

	for (unsigned i = 0; i < FILTER_SHAPES; i++) {
		s = spec_at(0, 2, i);
		spec_add(&s, 8 + i, 1, 1);
		CHECK_EQ(make(root, 10 + i, &s, RW, false), 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		s = spec_at(100, 1, 1 + i);
		CHECK_EQ(make(filter_at(10), 200 + i, &s, RW, false), 0);
	}
	filter_rehang(filter_at(200), root);
	filter_rehang(filter_at(201), root);
	s = spec_at(0, 2, 0);
	spec_add(&s, 8, 1, 1);
	spec_add(&s, 100, 1, 2);
	CHECK_EQ(filter_pfn(filter_find(root, s.receive.value)), 10);
	CHECK_EQ(filter_at(200)->node[0].group_next, 201);
	CHECK_EQ(filter_at(201)->node[0].group_prev, 200);
	CHECK_EQ(make_at(root, 202, 0, 2, 0), -EXO_E_SPLIT);
	other = spec_at(0, 2, 900);
	spec_add(&other, 8, 1, 1);
	spec_add(&other, 100, 1, 2);
	CHECK_EQ(make(root, 202, &other, RW, false), -EXO_E_ROOM);
	filter_detach(filter_at(10));
	CHECK_EQ(filter_check(root, &other, RW, false, &whole), 0);
	CHECK_EQ(filter_pfn(filter_find(root, s.receive.value)), ROOT);
	filter_detach(filter_at(200));
	CHECK_EQ(filter_pfn(filter_find(root, s.receive.value)), 201);
}

/* Siblings of one mask: a bit in which all agree decides at once, else so many are compared. */
TEST(filter_comparisons_have_a_limit)
{
	struct filter *root = start();

	for (unsigned i = 0; i < 3000; i++) {
		struct exo_nic_spec s = spec_at(36, 2, i * 21);

		spec_add(&s, 23, 1, 6);
		CHECK_EQ(make(root, 10 + i, &s, RW, false), 0);
	}
	CHECK_EQ(make_at(root, 5000, 36, 2, 60001), -EXO_E_ROOM);
	CHECK_EQ(make_at(root, 5000, 23, 1, 6), -EXO_E_SPLIT);
	CHECK_EQ(make_at(root, 5000, 23, 1, 17), 0);
	CHECK_EQ(make_at(root, 5001, 36, 2, 60001), -EXO_E_ROOM);
	for (unsigned i = 0; i < 3000; i++) {
		struct exo_nic_spec s = spec_at(36, 2, i * 21);

		spec_add(&s, 23, 1, 6);
		CHECK_EQ(filter_pfn(filter_find(root, s.receive.value)), 10 + i);
	}
	filter_detach(filter_at(5000));
	for (unsigned i = FILTER_COMPARE; i < 3000; i++)
		filter_detach(filter_at(10 + i));
	CHECK_EQ(make_at(root, 5001, 36, 2, 60001), -EXO_E_ROOM);
	filter_detach(filter_at(10));
	CHECK_EQ(make_at(root, 5001, 36, 2, 60001), 0);
}

/* Every hash is the same number: only the words tell filters apart. */
TEST(filter_hash_collisions_are_told_apart)
{
	struct filter *root = start();

	filter_key.mix = 0;
	for (unsigned i = 0; i < FILTER_COMPARE; i++)
		CHECK_EQ(make_at(root, 10 + i, 36, 2, i), 0);
	CHECK_EQ(filter_at(10)->words[0].hash, filter_at(500)->words[0].hash);
	CHECK_EQ(make_at(root, 5000, 36, 2, 17), -EXO_E_SPLIT);
	CHECK_EQ(make_at(root, 5000, 36, 2, 5000), -EXO_E_ROOM);
	for (unsigned i = 0; i < FILTER_COMPARE; i++)
		CHECK_EQ(find_at(36, 2, i), 10 + i);
	CHECK_EQ(find_at(36, 2, 5000), ROOT);
	for (unsigned i = 0; i < FILTER_COMPARE; i += 2)
		filter_detach(filter_at(10 + i));
	for (unsigned i = 0; i < FILTER_COMPARE; i++)
		CHECK_EQ(find_at(36, 2, i), i % 2 ? 10 + i : ROOT);
}

/* The hash is the value, which differs in its last digits only: the tree is as deep as can be. */
TEST(filter_hashes_that_differ_at_their_ends)
{
	struct filter *root = start();
	unsigned up = 0;

	key_pick(3);
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQ(make_at(root, 10 + i, 0, 8, 1ul << i), 0);
	for (unsigned i = 0; i < 16; i++)
		CHECK_EQ(make_at(root, 100 + i, 0, 8, 0x3000 + i), 0);
	for (uint32_t n = 115; n; n = filter_at(n)->node[0].up)
		up++;
	CHECK(up > 8);
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQ(find_at(0, 8, 1ul << i), i == 12 ? 22 : 10 + i);
	for (unsigned i = 1; i < 64; i += 3)
		filter_detach(filter_at(10 + i));
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQ(find_at(0, 8, 1ul << i), i % 3 == 1 ? ROOT : 10 + i);
	for (unsigned i = 1; i < 16; i++)
		CHECK_EQ(find_at(0, 8, 0x3000 + i), 100 + i);
}

/* Values that only differ in one high bit of each word: no two with the same hash. */
TEST(filter_hash_spreads_what_an_enemy_chooses)
{
	struct filter *root = start();

	for (unsigned i = 0; i < 1024; i++) {
		struct exo_nic_spec s = { 0 };

		for (unsigned b = 0; b < 10; b++) {
			s.receive.mask[b] = 1ul << 63 | 1ul << 28;
			s.receive.value[b] = (i >> b & 1) << 28 | (uint64_t)(i >> b & 1) << 63;
		}
		CHECK_EQ(make(root, 10 + i, &s, EXO_R_READ, false), 0);
	}
	for (unsigned i = 0; i < 1024; i++) {
		unsigned up = 0;

		CHECK_EQ(filter_at(10 + i)->node[0].equal_prev, 0);
		for (uint32_t n = 10 + i; n; n = filter_at(n)->node[0].up)
			up++;
		CHECK(up <= 6);
	}
}

/* --- what goes, and who inherits --- */
TEST(filter_child_with_its_parents_patterns_inherits)
{
	for (unsigned all_equal = 0; all_equal < 2; all_equal++) {
		struct filter *root = start();
		struct exo_nic_spec none = { 0 };

		if (all_equal)
			filter_key.mix = 0;
		CHECK_EQ(make_at(root, 10, 36, 2, 80), 0);
		CHECK_EQ(make(filter_at(10), 11, &none, RW, false), 0);
		CHECK_EQ(make(filter_at(11), 12, &none, RW, false), 0);
		CHECK_EQ(find_at(36, 2, 80), 12);
		filter_rehang(filter_at(11), root);
		CHECK(find_at(36, 2, 80) == 10 || find_at(36, 2, 80) == 12);
		filter_detach(filter_at(10));
		CHECK(frame_is_zero(10));
		CHECK_EQ(find_at(36, 2, 80), 12);
		CHECK_EQ(make_at(root, 10, 36, 2, 80), -EXO_E_SPLIT);
		filter_rehang(filter_at(12), root);
		filter_detach(filter_at(11));
		CHECK_EQ(find_at(36, 2, 80), 12);
		filter_detach(filter_at(12));
		CHECK_EQ(find_at(36, 2, 80), ROOT);
		CHECK(!filter_has_children(root));
	}
}

static unsigned shares_count(const struct filter *f)
{
	unsigned n = 0;

	for (const struct filter *s = filter_share_first(f); s; s = filter_share_next(s))
		n++;
	return n;
}

TEST(filter_shares_have_a_limit_and_wait)
{
	struct filter *root = start();
	struct exo_nic_spec none = { 0 };

	CHECK_EQ(make_at(root, 10, 36, 2, 80), 0);
	for (unsigned i = 0; i < FILTER_SHARES; i++) {
		CHECK_EQ(make(root, 20 + i, &none, RW, true), 0);
		CHECK_EQ(make(filter_at(10), 40 + i, &none, RW, true), 0);
	}
	CHECK_EQ(make(root, 60, &none, RW, true), -EXO_E_ROOM);
	CHECK_EQ(make(filter_at(10), 60, &none, RW, true), -EXO_E_ROOM);
	CHECK_EQ(make(filter_at(20), 60, &none, RW, true), -EXO_E_SHARED);
	CHECK_EQ(make(filter_at(20), 60, &none, RW, false), -EXO_E_SHARED);
	CHECK_EQ(shares_count(filter_at(10)), 2 * FILTER_SHARES);
	CHECK_EQ(shares_count(root), FILTER_SHARES);
	CHECK(filter_share_first(filter_at(10)) == filter_at(40));
	CHECK(!filter_has_children(filter_at(10)));
	for (unsigned i = 0; i < FILTER_SHARES; i++)
		filter_rehang(filter_at(40 + i), root);
	filter_detach(filter_at(10));
	CHECK_EQ(shares_count(root), FILTER_SHARES);
	CHECK(!filter_at(40)->share_on);
	filter_detach(filter_at(27));
	filter_detach(filter_at(20));
	CHECK_EQ(shares_count(root), FILTER_SHARES);
	CHECK(filter_share_first(root) == filter_at(21));
	CHECK(filter_at(40)->share_on && filter_at(41)->share_on && !filter_at(42)->share_on);
	CHECK_EQ(find_at(36, 2, 80), ROOT);
}

TEST(filter_names_bytes_of_the_send_pattern)
{
	struct filter *root = start();
	struct exo_nic_spec s = { 0 };

	((uint8_t *)s.send.mask)[50] = 0x10;
	((uint8_t *)s.send.mask)[127] = 1;
	memset(s.receive.mask, 0xff, sizeof(s.receive.mask));
	CHECK_EQ(make(root, 10, &s, RW, false), 0);
	CHECK(!filter_names_send(filter_at(10), 48, 2));
	CHECK(filter_names_send(filter_at(10), 49, 2));
	CHECK(filter_names_send(filter_at(10), 50, 1));
	CHECK(!filter_names_send(filter_at(10), 50, 0));
	CHECK(!filter_names_send(filter_at(10), 51, 76));
	CHECK(filter_names_send(filter_at(10), 51, 77));
	CHECK(filter_names_send(filter_at(10), 0, ~0ul));
	CHECK(!filter_names_send(filter_at(10), 128, ~0ul));
	CHECK(!filter_names_send(filter_at(10), ~0ul, ~0ul));
	CHECK(!filter_names_send(root, 0, 128));
}

TEST_MAIN
