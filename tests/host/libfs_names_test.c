/* SPDX-License-Identifier: MIT */
/*
 * libfs_names_test.c - the tables of names and nodes alone, against a model: what they know is what
 * was kept last, names made to collide are told apart, and what is used often stays.
 */
// sources: libfs/names.c libfs/nodes.c
// includes: libfs/include
#include <libfs/nodes.h>

#include "libfs_fake.h"
#include "test.h"

#define NAMES 3000u

static struct fake_memory memory;
static struct fs_names names;
static struct fs_nodes nodes;
static uint64_t seed = 88172645463325252ul;

static uint64_t rnd(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

static void start(uint64_t bytes, long pages)
{
	fake_memory_init(&memory, pages);
	memset(&names, 0xa5, sizeof names);
	memset(&nodes, 0xa5, sizeof nodes);
	names.hits = names.misses = nodes.hits = nodes.misses = 0;
	fs_names_init(&names, &memory.memory, bytes);
	fs_nodes_init(&nodes, &memory.memory, bytes);
}

static void finish(void)
{
	fs_names_end(&names, &memory.memory);
	fs_nodes_end(&nodes, &memory.memory);
	CHECK_EQ(memory.out, 0);
}

static struct fs_name_key key_of(uint64_t dir, const char *name, size_t bytes)
{
	struct fs_name_key key;

	fs_name_key(&key, name, bytes);
	fs_name_key_end(&key, dir, bytes);
	return key;
}

/* What is known of a name: its inode number, or -1. */
static int64_t known(uint64_t dir, const char *name, size_t bytes)
{
	struct fs_name_key key = key_of(dir, name, bytes);
	const struct fs_name *found = fs_names_find(&names, &key);

	return found ? (int64_t)found->ino : -1;
}

static void keep(uint64_t dir, const char *name, size_t bytes, uint64_t ino)
{
	struct fs_name_key key = key_of(dir, name, bytes);

	fs_names_keep(&names, &key, ino);
}

TEST(names_of_every_length)
{
	char name[64];

	start(1 << 16, -1);
	for (unsigned n = 0; n < sizeof name; n++)
		name[n] = (char)('a' + n % 26);
	for (unsigned n = 0; n <= sizeof name; n++) {
		CHECK_EQ(known(7, name, n), -1);
		keep(7, name, n, 100 + n);
		CHECK_EQ(known(7, name, n), n && n <= FS_NAMES_BYTES ? (int64_t)(100 + n) : -1);
		CHECK_EQ(known(8, name, n), -1);
	}
	for (unsigned n = 1; n <= FS_NAMES_BYTES; n++)
		CHECK_EQ(known(7, name, n), 100 + n);
	finish();
}

/* Zeros stand behind a name in its last word: a name with a NUL in it is another all the same. */
TEST(names_are_not_their_padding)
{
	start(1 << 14, -1);
	keep(2, "a", 1, 11);
	CHECK_EQ(known(2, "a\0", 2), -1);
	CHECK_EQ(known(2, "a\0\0\0\0\0\0", 8), -1);
	keep(2, "a\0", 2, 12);
	CHECK_EQ(known(2, "a", 1), 11);
	CHECK_EQ(known(2, "a\0", 2), 12);
	keep(2, "none", 4, FS_INO_NONE);
	CHECK_EQ(known(2, "none", 4), FS_INO_NONE);
	fs_names_clear(&names);
	CHECK_EQ(known(2, "none", 4), -1);
	finish();
}

/* A name is read to its last byte and no further: the copy ends where the memory does. */
TEST(names_are_read_to_their_end)
{
	for (size_t n = 1; n <= FS_NAMES_BYTES; n++) {
		char *copy = malloc(n);

		start(0, 0);
		memset(copy, 'x', n);
		keep(1, copy, n, 5);
		CHECK_EQ(known(1, copy, n), 5);
		free(copy);
		finish();
	}
}

/* Two names of one set whose hashes are equal in all that is kept of them. */
static bool twins(uint64_t *one, uint64_t *two)
{
	static struct { uint64_t word; uint32_t tag, set; } seen[1 << 17];
	struct fs_name_key key;

	for (unsigned n = 0; n < 1000000; n++) {
		uint64_t w = rnd(1ul << 40) | 0x4141410000000000ul;
		uint32_t at;

		key = key_of(3, (const char *)&w, 8);
		at = (key.tag >> 8) % (1 << 17);
		if (seen[at].tag == key.tag && seen[at].word != w &&
		    seen[at].set == ((key.hash >> 20) & (names.sets - 1))) {
			*one = w;
			*two = seen[at].word;
			return true;
		}
		seen[at].word = w;
		seen[at].tag = key.tag;
		seen[at].set = (key.hash >> 20) & (names.sets - 1);
	}
	return false;
}

TEST(names_with_one_hash_are_told_apart)
{
	uint64_t one, two;

	start(4096, -1);
	CHECK_EQ(names.sets, 16);
	CHECK(twins(&one, &two));
	keep(3, (char *)&one, 8, 1);
	CHECK_EQ(known(3, (char *)&two, 8), -1);
	keep(3, (char *)&two, 8, 2);
	CHECK_EQ(known(3, (char *)&one, 8), 1);
	CHECK_EQ(known(3, (char *)&two, 8), 2);
	finish();
}

/* One name in two directories, whose hashes are equal in all that is kept of them. */
TEST(names_of_two_directories_are_told_apart)
{
	static uint64_t seen[1 << 18];
	struct fs_name_key key, other;
	uint64_t dir = 0;
	unsigned tries;

	start(4096, -1);
	memset(seen, 0, sizeof seen);
	for (tries = 0; tries < 4000000; tries++) {
		uint64_t *at;

		dir = 1 + rnd(1ul << 50);
		key = key_of(dir, "same", 4);
		at = &seen[(key.tag >> 8) % (1 << 18)];
		other = key_of(*at, "same", 4);
		if (*at && *at != dir && other.tag == key.tag &&
		    fs_names_set(&names, &key) == fs_names_set(&names, &other))
			break;
		*at = dir;
	}
	CHECK(tries < 4000000 && other.dir != dir);
	keep(dir, "same", 4, 1);
	CHECK_EQ(known(other.dir, "same", 4), -1);
	keep(other.dir, "same", 4, 2);
	CHECK_EQ(known(dir, "same", 4), 1);
	CHECK_EQ(known(other.dir, "same", 4), 2);
	finish();
}

/* Thousands of names in one set: each lookup sees the same few places, and no wrong one. */
TEST(names_that_collide_push_each_other_out)
{
	unsigned there = 0;
	char name[16];

	start(0, 0);
	CHECK_EQ(names.sets, 1);
	for (unsigned n = 0; n < NAMES; n++)
		keep(n % 5, name, (size_t)snprintf(name, sizeof name, "name %u", n), n + 1);
	for (unsigned n = 0; n < NAMES; n++) {
		int64_t ino = known(n % 5, name, (size_t)snprintf(name, sizeof name, "name %u", n));

		CHECK(ino == -1 || ino == n + 1);
		there += ino != -1;
	}
	CHECK(there >= 1 && there <= FS_NAMES_WAYS);
	finish();
}

/* Any order of keeping and finding in a table that is too small: known means right. */
TEST(names_random_against_a_model)
{
	static uint64_t model[NAMES];
	unsigned long hits = 0, misses = 0;
	char name[48];

	start(1 << 15, -1);
	memset(model, 0xff, sizeof model);
	for (unsigned step = 0; step < 300000; step++) {
		unsigned n = (unsigned)rnd(rnd(4) ? NAMES : 40);
		size_t bytes = (size_t)snprintf(name, sizeof name, "%0*u", 4 + (int)(n % 37), n);
		int64_t ino = known(n % 3, name, bytes);

		if (ino >= 0 && (uint64_t)ino != model[n])
			test_fail("step %u: %s is %ld, not %lu", step, name, (long)ino, model[n]);
		if (ino < 0) {
			model[n] = rnd(5) ? rnd(1000) + 1 : FS_INO_NONE;
			keep(n % 3, name, bytes, model[n]);
		}
		ino >= 0 ? hits++ : misses++;
		if (step % 50000 == 49999)
			fs_names_clear(&names);
	}
	CHECK(hits > 50000 && misses > 50000);
	CHECK_EQ(hits, names.hits);
	CHECK_EQ(misses, names.misses);
	finish();
}

/* What is looked up now and then stays while a hundred times as much passes through. */
TEST(names_in_use_outlast_a_scan)
{
	unsigned kept = 0;
	char name[32];

	start(1 << 14, -1);
	for (unsigned n = 0; n < 16; n++)
		keep(1, name, (size_t)snprintf(name, sizeof name, "hot %u", n), n + 1);
	for (unsigned n = 0; n < 20000; n++) {
		size_t bytes = (size_t)snprintf(name, sizeof name, "cold %u", n);

		keep(2, name, bytes, n + 1);
		bytes = (size_t)snprintf(name, sizeof name, "hot %u", n % 16);
		if (known(1, name, bytes) < 0)
			keep(1, name, bytes, n % 16 + 1);
		else
			kept++;
	}
	CHECK(kept > 19000);
	finish();
}

static const struct fs_node *node_keep(uint64_t ino, const struct fs_node *stay)
{
	struct fs_node node = { .ino = ino, .size = ino * 3, .type = FS_FILE, .own = { ino } };

	return fs_nodes_keep(&nodes, &node, stay);
}

/* A directory stays where it is while what was found in it is put into its set. */
TEST(nodes_that_are_to_stay_do)
{
	const struct fs_node *dir, *next;

	start(0, 0);
	CHECK_EQ(nodes.sets, 1);
	dir = node_keep(1, NULL);
	for (uint64_t ino = 2; ino < 1000; ino++) {
		uint64_t was = dir->ino;

		next = node_keep(ino, dir);
		if (dir->ino != was || next == dir || next->ino != ino || next->size != ino * 3)
			test_fail("node %lu took the place of %lu", ino, was);
		for (uint64_t i = 0; i < rnd(4); i++)
			fs_nodes_find(&nodes, ino - rnd(4));
		dir = next;
	}
	finish();
}

TEST(nodes_random_against_a_model)
{
	unsigned long hits = 0;

	start(1 << 14, -1);
	CHECK_EQ(nodes.sets, 32);
	for (unsigned step = 0; step < 200000; step++) {
		uint64_t ino = 1 + rnd(rnd(3) ? 2000 : 20);
		const struct fs_node *node = fs_nodes_find(&nodes, ino);

		if (node && (node->ino != ino || node->own[0] != ino || node->size != ino * 3))
			test_fail("node %lu is %lu", ino, node->ino);
		hits += node != NULL;
		if (!node)
			CHECK_EQ(node_keep(ino, NULL)->ino, ino);
		CHECK(fs_nodes_find(&nodes, ino) != NULL);
	}
	CHECK(hits > 40000);
	fs_nodes_clear(&nodes);
	for (uint64_t ino = 1; ino < 2000; ino++)
		CHECK(!fs_nodes_find(&nodes, ino));
	finish();
}

/* As large as there is memory for, by halves; and without any, still a table. */
TEST(tables_take_what_memory_there_is)
{
	start(1 << 16, -1);
	CHECK_EQ(names.pages, 16);
	CHECK_EQ(nodes.sets, 128);
	finish();
	start((1 << 16) - 1, -1);
	CHECK_EQ(names.pages, 8);
	finish();
	start(1 << 16, 7);
	CHECK_EQ(names.pages, 4);
	CHECK_EQ(nodes.pages, 2);
	finish();
	start(4095, -1);
	CHECK_EQ(names.pages, 0);
	keep(1, "a", 1, 5);
	CHECK_EQ(known(1, "a", 1), 5);
	CHECK_EQ(node_keep(9, NULL)->ino, 9);
	finish();
}

TEST_MAIN
