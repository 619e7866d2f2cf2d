/* SPDX-License-Identifier: MIT */
/*
 * libfs_cache_test.c - the block cache: what it lends, whom it evicts, what it does when the
 * device, the memory or the policy fails.
 */
// sources: libfs/cache.c libfs/cache_read.c libfs/device.c libfs/errors.c libfs/evict.c
// sources: libfs/cache_spare.c
// includes: libfs/include
#include "libfs_fake.h"
#include "test.h"

#define BLOCKS 400u
#define UNIT 1024u

static uint8_t image[BLOCKS * UNIT];
static struct fake_disk disk;
static struct fake_memory memory;
static struct fs_cache cache;

/* fs_cache_init on the fakes. */
static int init(uint32_t block_bytes, uint64_t bytes, const struct fs_evict_ops *evict)
{
	return fs_cache_init(&cache, &disk.device, &memory.memory, block_bytes, bytes, evict);
}

/* fs_device_read on the fakes. */
static int raw(uint64_t offset, void *out, size_t bytes)
{
	return fs_device_read(&disk.device, &memory.memory, offset, out, bytes);
}

static void fill_image(void)
{
	for (uint32_t i = 0; i < sizeof image; i++)
		image[i] = (uint8_t)(i / UNIT * 31 + i % UNIT * 7);
}

/* A cache of `buffers` blocks of 1 KiB over a device of 512-byte blocks. */
static void start(uint32_t buffers, bool async, const struct fs_evict_ops *evict)
{
	fill_image();
	fake_disk_init(&disk, image, sizeof image, 512, async);
	fake_memory_init(&memory, -1);
	memset(&cache, 0, sizeof cache);
	CHECK_EQ(init(UNIT, buffers * UNIT, evict), 0);
	CHECK_EQ(cache.count, buffers);
}

static void finish(void)
{
	CHECK_EQ(fs_cache_end(&cache), 0);
	CHECK_EQ(memory.out, 0);
}

/* Get a block, compare it, put it. */
static void touch(uint64_t block)
{
	struct fs_buffer *b;
	int err = fs_cache_get(&cache, block, &b);

	if (err < 0) {
		test_fail("block %lu: %s", block, fs_error_text(err));
		return;
	}
	CHECK_EQ(b->block, block);
	if (memcmp(b->data, image + block * UNIT, UNIT) != 0)
		test_fail("block %lu: wrong contents", block);
	fs_cache_put(&cache, b);
}

/* Is the block there without a read? */
static bool cached(uint64_t block)
{
	uint64_t before = disk.reads;
	uint64_t hits = cache.stats.hits;

	touch(block);
	return disk.reads == before && cache.stats.hits == hits + 1;
}

/* Memory that takes pages back: what was in them is lost, `room` more may come. */
#define LOOSE_PAGES 64u
static struct {
	struct fs_memory_ops ops;
	uint8_t *data;
	size_t pages;
	const struct fs_keeper *keeper;
	bool away[LOOSE_PAGES];
	unsigned room;
} loose;

static uint64_t loose_handle(struct fs_memory *m, const void *page)
{
	size_t n = (size_t)((const uint8_t *)page - loose.data) / FS_PAGE_BYTES;

	if (loose.data && n < loose.pages && loose.away[n])
		return 0;
	return fake_handle(m, page);
}

static int loose_lend(struct fs_memory *m, void *data, size_t pages, const struct fs_keeper *keeper)
{
	(void)m;
	loose.data = data;
	loose.pages = pages;
	loose.keeper = keeper;
	return 0;
}

static int loose_renew(struct fs_memory *m, void *page)
{
	(void)m;
	if (loose.room == 0)
		return -FS_E_NOMEM;
	loose.room--;
	loose.away[(size_t)((uint8_t *)page - loose.data) / FS_PAGE_BYTES] = false;
	return 0;
}

/* A cache of 40 pages of such memory. */
static void loose_start(void)
{
	fill_image();
	fake_disk_init(&disk, image, sizeof image, 512, true);
	fake_memory_init(&memory, -1);
	memset(&loose, 0, sizeof loose);
	loose.ops = fake_memory_ops;
	loose.ops.handle = loose_handle;
	loose.ops.lend = loose_lend;
	loose.ops.renew = loose_renew;
	memory.memory.ops = &loose.ops;
	memset(&cache, 0, sizeof cache);
	CHECK_EQ(init(UNIT, 160 * UNIT, NULL), 0);
	CHECK_EQ(loose.pages, 40);
}

/* Take a page back if the cache spares it. */
static bool loose_take(size_t n)
{
	if (loose.away[n] || !loose.keeper->spare(loose.keeper->context,
						  loose.data + n * FS_PAGE_BYTES))
		return false;
	loose.away[n] = true;
	memset(loose.data + n * FS_PAGE_BYTES, 0x5a, FS_PAGE_BYTES);
	return true;
}

TEST(cache_spares_pages_and_is_right_all_the_same)
{
	uint32_t seed = 1, away = 0;

	loose_start();
	for (unsigned i = 0; i < 40000; i++) {
		seed = seed * 1664525 + 1013904223;
		touch((seed >> 8) % BLOCKS);
		if (seed >> 28 == 0)
			away += loose_take((seed >> 16) % loose.pages);
		if (seed >> 28 == 1)
			loose.room += (seed >> 16) % 3;
		if (seed >> 28 == 2)
			fs_cache_prefetch(&cache, &(uint64_t){ (seed >> 4) % BLOCKS }, 1);
	}
	CHECK(away > 500);
	CHECK_EQ(cache.stats.spared, away);
	CHECK_EQ(cache.stats.errors, 0);
	finish();
}

TEST(cache_keeps_what_is_lent_and_grows_again)
{
	struct fs_buffer *b;
	unsigned taken = 0;
	size_t page;

	loose_start();
	for (uint64_t block = 0; block < 160; block++)
		touch(block);
	REQUIRE(fs_cache_get(&cache, 77, &b) == 0);
	page = (size_t)((const uint8_t *)b->data - loose.data) / FS_PAGE_BYTES;
	for (size_t n = 0; n < loose.pages; n++)
		taken += loose_take(n);
	CHECK_EQ(taken, 39);
	CHECK(!loose.away[page]);
	/* Three buffers are left on that page: enough to read everything, slowly. */
	for (uint64_t block = 0; block < BLOCKS; block++)
		touch(block);
	CHECK(memcmp(b->data, image + 77 * UNIT, UNIT) == 0);
	fs_cache_put(&cache, b);
	loose.room = 100;
	for (unsigned i = 0; i < 8; i++)
		for (uint64_t block = 0; block < BLOCKS; block++)
			touch(block);
	for (size_t n = 0; n < loose.pages; n++)
		CHECK(!loose.away[n]);
	finish();
}

TEST(cache_reads_a_page_again_that_was_taken)
{
	struct fs_buffer *b;
	void *page;

	loose_start();
	REQUIRE(fs_cache_get(&cache, 7, &b) == 0);
	page = (void *)((uintptr_t)b->data & ~(uintptr_t)(FS_PAGE_BYTES - 1));
	memset(page, 0, FS_PAGE_BYTES);
	CHECK_EQ(loose.keeper->rebuild(loose.keeper->context, page), 0);
	CHECK(memcmp(b->data, image + 7 * UNIT, UNIT) == 0);
	CHECK_EQ(cache.stats.rebuilt, 1);
	disk.dead = true;
	CHECK(loose.keeper->rebuild(loose.keeper->context, page) < 0);
	disk.dead = false;
	fs_cache_put(&cache, b);
	finish();
}

TEST(cache_sizes_are_checked)
{
	fake_disk_init(&disk, image, sizeof image, 4096, false);
	fake_memory_init(&memory, -1);
	CHECK_EQ(init(1024, 1 << 20, NULL), -EXO_E_ARG);
	fake_disk_init(&disk, image, sizeof image, 512, false);
	CHECK_EQ(init(0, 1 << 20, NULL), -EXO_E_ARG);
	CHECK_EQ(init(3000, 1 << 20, NULL), -EXO_E_ARG);
	CHECK_EQ(init(8192, 1 << 20, NULL), -EXO_E_ARG);
	disk.device.block_bytes = 768;
	CHECK_EQ(init(4096, 1 << 20, NULL), -EXO_E_ARG);
	disk.device.block_bytes = 0;
	CHECK_EQ(init(4096, 1 << 20, NULL), -EXO_E_ARG);
	CHECK_EQ(memory.out, 0);
}

TEST(cache_reads_each_block_once)
{
	start(64, false, NULL);
	for (int round = 0; round < 3; round++)
		for (uint64_t b = 0; b < 60; b++)
			touch(b);
	CHECK_EQ(disk.reads, 60);
	CHECK_EQ(cache.stats.misses, 60);
	CHECK_EQ(cache.stats.hits, 120);
	CHECK_EQ(cache.stats.evicted, 0);
	CHECK_EQ(fs_cache_forget(&cache), 0);
	touch(0);
	CHECK_EQ(disk.reads, 61);
	finish();
}

TEST(cache_range_ends_with_the_device)
{
	struct fs_buffer *b;
	uint64_t two[2] = { BLOCKS - 1, BLOCKS };

	start(16, false, NULL);
	touch(BLOCKS - 1);
	CHECK_EQ(fs_cache_get(&cache, BLOCKS, &b), -EXO_E_RANGE);
	CHECK_EQ(fs_cache_get(&cache, UINT64_MAX, &b), -EXO_E_RANGE);
	struct fs_buffer *both[2];
	CHECK_EQ(fs_cache_get_batch(&cache, two, 2, both), 1);
	fs_cache_put(&cache, both[0]);
	CHECK_EQ(fs_cache_get_batch(&cache, two, 0, both), -EXO_E_ARG);
	CHECK_EQ(fs_cache_get_batch(&cache, two, FS_CACHE_BATCH + 1, both), -EXO_E_ARG);
	finish();
}

TEST(cache_batch_is_one_submission)
{
	uint64_t block[FS_CACHE_BATCH];
	struct fs_buffer *b[FS_CACHE_BATCH];

	start(64, false, NULL);
	for (unsigned i = 0; i < FS_CACHE_BATCH; i++)
		block[i] = (i * 37) % BLOCKS;
	block[5] = block[9];    /* the same block twice is read once */
	CHECK_EQ(fs_cache_get_batch(&cache, block, FS_CACHE_BATCH, b), FS_CACHE_BATCH);
	CHECK_EQ(disk.batches, 1);
	CHECK_EQ(disk.reads, FS_CACHE_BATCH - 1);
	CHECK(b[5] == b[9] && b[5]->refs == 2);
	for (unsigned i = 0; i < FS_CACHE_BATCH; i++) {
		CHECK_EQ(memcmp(b[i]->data, image + block[i] * UNIT, UNIT), 0);
		fs_cache_put(&cache, b[i]);
	}
	finish();
}

TEST(cache_lent_buffers_stay)
{
	struct fs_buffer *lent[16], *one;
	uint64_t two[2] = { 100, 101 };

	start(16, true, NULL);
	for (unsigned i = 0; i < 15; i++)
		CHECK_EQ(fs_cache_get(&cache, i, &lent[i]), 0);
	for (uint64_t b = 50; b < 90; b++)
		touch(b);
	/* One buffer is left: a batch of two gets one. */
	CHECK_EQ(fs_cache_get_batch(&cache, two, 2, &one), 1);
	CHECK_EQ(fs_cache_get(&cache, 102, &lent[15]), -FS_E_NOBUF);
	CHECK_EQ(fs_cache_end(&cache), -FS_E_OPEN);
	CHECK_EQ(fs_cache_forget(&cache), 16);
	for (unsigned i = 0; i < 15; i++) {
		CHECK_EQ(memcmp(lent[i]->data, image + i * UNIT, UNIT), 0);
		fs_cache_put(&cache, lent[i]);
	}
	fs_cache_put(&cache, one);
	finish();
}

TEST(cache_clock_keeps_what_is_used)
{
	start(32, false, NULL);
	for (uint64_t b = 0; b < 4; b++)
		touch(b);
	/* A long scan, with the four used now and then. */
	for (uint64_t b = 10; b < 390; b++) {
		touch(b);
		if (b % 10 == 0)
			for (uint64_t hot = 0; hot < 4; hot++)
				touch(hot);
	}
	for (uint64_t b = 0; b < 4; b++)
		CHECK(cached(b));
	CHECK(!cached(200));
	CHECK_EQ(disk.reads, 4 + 380 + 1);
	finish();
}

/* Another policy, handed in: last in, first out, with a context of its own. */
struct lifo {
	struct fs_buffer *stack[1000];
	unsigned top, filled, used;
};

static int lifo_init(struct fs_cache *c)
{
	return ((struct lifo *)c->evict_context)->top ? -EXO_E_BUSY : 0;
}

static void lifo_filled(struct fs_cache *c, struct fs_buffer *b)
{
	struct lifo *l = c->evict_context;

	l->stack[l->top++] = b;
	l->filled++;
}

static void lifo_used(struct fs_cache *c, struct fs_buffer *b)
{
	(void)b;
	((struct lifo *)c->evict_context)->used++;
}

static struct fs_buffer *lifo_victim(struct fs_cache *c)
{
	struct lifo *l = c->evict_context;

	if (l->top < c->count)
		for (uint32_t i = 0; i < c->count; i++)
			if (c->buffer[i].state == FS_BUFFER_EMPTY)
				return &c->buffer[i];
	return l->top ? l->stack[--l->top] : NULL;
}

TEST(cache_eviction_is_replaceable)
{
	static const struct fs_evict_ops ops = { lifo_init, lifo_filled, lifo_used, lifo_victim };
	struct lifo lifo = { .top = 0 };

	fake_disk_init(&disk, image, sizeof image, 512, false);
	fake_memory_init(&memory, -1);
	memset(&cache, 0, sizeof cache);
	cache.evict_context = &lifo;
	CHECK_EQ(init(UNIT, 16 * UNIT, &ops), 0);
	for (uint64_t b = 0; b < 40; b++)
		touch(b);
	/* The first 15 and the last stayed: what clock would never keep. */
	for (uint64_t b = 0; b < 15; b++)
		CHECK(cached(b));
	CHECK(cached(39));
	CHECK_EQ(lifo.filled, 40);
	CHECK_EQ(lifo.used, 16);
	finish();
	/* Its init can refuse, and then nothing is kept. */
	lifo.top = 1;
	cache.evict_context = &lifo;
	CHECK_EQ(init(UNIT, 1 << 16, &ops), -EXO_E_BUSY);
	CHECK_EQ(memory.out, 0);
}

static struct fs_buffer wild;
static struct fs_buffer *wrong_victim(struct fs_cache *c)
{
	static unsigned n;

	return n++ % 2 ? &wild : &c->buffer[0];
}

/* A policy that answers a lent buffer or none of ours is not believed. */
TEST(cache_wrong_policy_is_not_believed)
{
	struct fs_evict_ops ops = fs_evict_clock;
	struct fs_buffer *a, *b;

	ops.victim = wrong_victim;
	start(16, false, &ops);
	CHECK_EQ(fs_cache_get(&cache, 1, &a), 0);
	CHECK_EQ(fs_cache_get(&cache, 2, &b), -FS_E_NOBUF);
	CHECK_EQ(fs_cache_get(&cache, 2, &b), -FS_E_NOBUF);
	CHECK_EQ(memcmp(a->data, image + UNIT, UNIT), 0);
	fs_cache_put(&cache, a);
	finish();
}

TEST(cache_prefetch_is_waited_for)
{
	uint64_t block[8] = { 5, 6, 7, 8, 9, 10, 11, BLOCKS + 5 };

	start(64, true, NULL);
	fs_cache_prefetch(&cache, block, 8);
	CHECK_EQ(disk.submits, 1);
	CHECK_EQ(disk.queued, 7);
	CHECK_EQ(disk.reads, 0);
	touch(8);               /* its buffer holds rubbish until the device is polled */
	CHECK(disk.reads >= 4 && disk.batches == 0);
	for (uint64_t b = 5; b < 12; b++)
		touch(b);
	CHECK_EQ(disk.reads, 7);
	CHECK_EQ(cache.stats.prefetched, 7);
	fs_cache_prefetch(&cache, block, 8);
	CHECK_EQ(disk.submits, 1);
	finish();
}

TEST(cache_prefetch_leaves_room_and_ends)
{
	uint64_t block[FS_CACHE_BATCH];

	start(16, true, NULL);
	for (unsigned i = 0; i < FS_CACHE_BATCH; i++)
		block[i] = i;
	fs_cache_prefetch(&cache, block, FS_CACHE_BATCH);
	CHECK_EQ(disk.queued, 4);
	for (uint64_t b = 100; b < 200; b++)
		touch(b);
	/* The end waits for what is in flight: its memory is the device's until then. */
	finish();
	CHECK_EQ(disk.queued, 0);
}

TEST(cache_prefetch_not_accepted_is_undone)
{
	uint64_t block[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	start(64, true, NULL);
	disk.accept = 3;
	fs_cache_prefetch(&cache, block, 8);
	CHECK_EQ(disk.queued, 3);
	CHECK_EQ(cache.stats.prefetched, 3);
	for (uint64_t b = 1; b < 9; b++)
		touch(b);
	CHECK_EQ(cache.stats.errors, 0);
	finish();
}

TEST(cache_errors_are_not_cached)
{
	struct fs_buffer *b[4];
	uint64_t four[4] = { 10, 11, 12, 13 };

	start(16, true, NULL);
	disk.fail_lo = 24;      /* device blocks of block 12 */
	disk.fail_hi = 26;
	CHECK_EQ(fs_cache_get(&cache, 12, &b[0]), -FS_E_IO);
	CHECK_EQ(fs_cache_get_batch(&cache, four, 4, b), 2);
	fs_cache_put(&cache, b[0]);
	fs_cache_put(&cache, b[1]);
	CHECK(cached(10) && cached(13));
	fs_cache_prefetch(&cache, four, 4);
	CHECK_EQ(fs_cache_get(&cache, 12, &b[0]), -FS_E_IO);
	CHECK_EQ(cache.stats.errors, 3);
	disk.fail_hi = 0;
	touch(12);
	finish();
}

TEST(cache_takes_less_when_memory_is_short)
{
	fill_image();
	fake_disk_init(&disk, image, sizeof image, 512, false);
	fake_memory_init(&memory, 20);
	memset(&cache, 0, sizeof cache);
	CHECK_EQ(init(UNIT, 1 << 20, NULL), 0);
	CHECK(cache.count >= FS_CACHE_LEAST && cache.count <= 64);
	for (uint64_t b = 0; b < BLOCKS; b++)
		touch(b);
	finish();
	fake_memory_init(&memory, 4);
	CHECK_EQ(init(UNIT, 1 << 20, NULL), -FS_E_NOMEM);
	CHECK_EQ(memory.out, 0);
}

/* A device that stops answering: errors, and memory it may still write to is not given back. */
TEST(cache_dead_device)
{
	uint64_t block[4] = { 1, 2, 3, 4 };
	struct fs_buffer *b;
	long out;

	start(16, true, NULL);
	touch(9);
	fs_cache_prefetch(&cache, block, 4);
	disk.dead = true;
	CHECK_EQ(fs_cache_get(&cache, 2, &b), -FS_E_IO);
	CHECK_EQ(fs_cache_get(&cache, 20, &b), -FS_E_IO);
	CHECK(cached(9));
	out = memory.out;
	CHECK_EQ(fs_cache_end(&cache), -EXO_E_DEVICE);
	CHECK_EQ(memory.out, out);
	disk.dead = false;
	touch(2);
	touch(20);
	finish();
}

/* Any mix of operations on a small cache: always the right bytes, never a lost buffer. */
TEST(cache_random_operations)
{
	struct fs_buffer *held[8] = { NULL };
	uint64_t seed = 12345, ahead[FS_CACHE_BATCH];

	start(24, true, NULL);
	for (unsigned step = 0; step < 200000; step++) {
		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		unsigned slot = (seed >> 33) % 8, what = (seed >> 40) % 8;
		uint64_t block = (seed >> 45) % BLOCKS;

		if (what == 0) {
			for (unsigned i = 0; i < FS_CACHE_BATCH; i++)
				ahead[i] = block + i;
			disk.accept = (unsigned)(seed >> 50) % 9;
			fs_cache_prefetch(&cache, ahead, 1 + (seed >> 55) % FS_CACHE_BATCH);
		} else if (what == 1) {
			disk.fail_at = disk.reads + 1 + (seed >> 55) % 3;
		} else if (held[slot]) {
			uint64_t b = held[slot]->block;

			if (memcmp(held[slot]->data, image + b * UNIT, UNIT) != 0)
				test_fail("step %u: lent block %lu changed", step, b);
			fs_cache_put(&cache, held[slot]);
			held[slot] = NULL;
		} else {
			int err = fs_cache_get(&cache, block, &held[slot]);

			if (err < 0 && err != -FS_E_IO)
				test_fail("step %u: %s", step, fs_error_text(err));
			if (err < 0)
				held[slot] = NULL;
		}
	}
	for (unsigned slot = 0; slot < 8; slot++)
		if (held[slot])
			fs_cache_put(&cache, held[slot]);
	CHECK(cache.stats.errors > 100 && cache.stats.evicted > 10000);
	finish();
}

TEST(device_reads_before_a_cache)
{
	static uint8_t out[4096];

	fill_image();
	fake_disk_init(&disk, image, sizeof image, 512, false);
	fake_memory_init(&memory, -1);
	CHECK_EQ(raw(1000, out, 100), 0);
	CHECK_EQ(memcmp(out, image + 1000, 100), 0);
	CHECK_EQ(raw(sizeof image - 7, out, 7), 0);
	CHECK_EQ(raw(sizeof image - 7, out, 8), -EXO_E_RANGE);
	CHECK_EQ(raw(UINT64_MAX - 700, out, 8), -EXO_E_RANGE);
	CHECK_EQ(raw(1, out, 4096), -EXO_E_ARG);
	CHECK_EQ(raw(0, out, 0), -EXO_E_ARG);
	CHECK_EQ(raw(0, out, 4097), -EXO_E_ARG);
	disk.fail_hi = 1;
	CHECK_EQ(raw(0, out, 10), -FS_E_IO);
	memory.limit = 0;
	CHECK_EQ(raw(512, out, 10), -FS_E_NOMEM);
	CHECK_EQ(memory.out, 0);
	disk.device.blocks = UINT64_MAX;
	CHECK_EQ(fs_device_bytes(&disk.device), -1);
}

TEST(error_texts)
{
	CHECK_STR(fs_error_text(-FS_E_NOENT), "no such file or directory");
	CHECK_STR(fs_error_text(FS_E_NOENT), "no such file or directory");
	CHECK_STR(fs_error_text(-EXO_E_ARG), "an argument is malformed");
	CHECK_STR(fs_error_text(0), "success");
	CHECK_STR(fs_error_text(-63), "unknown error");
	CHECK_STR(fs_error_text(-2147483647 - 1), "unknown error");
}

TEST_MAIN
