/* SPDX-License-Identifier: MIT */
/*
 * revoke_cache.c - a program that does nothing special but read a disk through a block cache is
 * asked for half of its memory, where the cache lies; or has it taken; or needs it itself.
 *
 * Every word of the disk tells where it stands, so a block that is not what was read shows.
 */
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include <libfs/cache.h>
#include <libfs/disk.h>
#include "disk.h"
#include "guest.h"
#include "parts.h"
#include "revoke_part.h"
#include "suite.h"

#define SECOND 1000000000ull
#define HALF   600u             /* frames: of the program's own, and of what is asked for */
#define PAGES  500u             /* of the cache: they do not fit into the other half */
#define LENT   3u               /* blocks that are in use when the memory goes by force */

/* The part's exit code, if something went wrong after its cache was full. */
enum { NOT_WELL = REVOKE_PART_FILLED + 1, NOT_READ, NO_ROOM, NOT_ENDED };

#define STEP   0x9e3779b97f4a7c15ul     /* a word of the disk: its number times this */
#define PAGE_WORDS (EXO_PAGE_SIZE / 8)

static struct fs_disk disk;
static struct fs_cache cache;

/* Is this what stands in a block of 4 KiB? */
static bool words_good(const uint64_t *words, uint64_t block)
{
	uint64_t first = exos_grant("disk", 0)->lo * (512 / 8) + block * PAGE_WORDS;

	for (uint64_t i = 0; i < PAGE_WORDS; i++)
		if (words[i] != (first + i) * STEP)
			return false;
	return true;
}

/* Read a block and look at each word of it. */
static bool block_good(uint64_t block)
{
	struct fs_buffer *b;
	bool good;

	if (fs_cache_get(&cache, block, &b) < 0)
		return false;
	good = words_good(b->data, block);
	fs_cache_put(&cache, b);
	return good;
}

static bool blocks_good(uint64_t count)
{
	for (uint64_t block = 0; block < count; block++)
		if (!block_good(block))
			return false;
	return true;
}

/* A cache full of blocks, in the memory that may be asked for. */
static bool cache_fill(void)
{
	const struct exos_grant *blocks = exos_grant("disk", 0), *extra = exos_grant("extra", 0);

	if (!blocks || !extra || exos_frame_add(extra->slot, extra->lo, extra->hi) < 0)
		return false;
	if (fs_disk_open(&disk, blocks->slot, blocks->lo, blocks->hi, 512) < 0 ||
	    fs_cache_init(&cache, &disk.device, &fs_disk_memory, EXO_PAGE_SIZE,
			  PAGES * EXO_PAGE_SIZE, NULL) < 0)
		return false;
	return cache.count == PAGES && blocks_good(PAGES) &&
	       exos_frame_claim(exos_space_frame((uint64_t)cache.data)) == extra->slot;
}

/* What it is asked for it does not hear of. */
static bool live_deaf(exo_slot extra)
{
	struct fs_buffer *lent[LENT];

	for (uint64_t i = 0; i < LENT; i++)
		if (fs_cache_get(&cache, i, &lent[i]) < 0)
			return false;
	while (exos_cap_look(extra))
		exos_sleep(SECOND / 1000);
	/* Those that were in use are read again at the next look. */
	for (uint64_t i = 0; i < LENT; i++) {
		if (!words_good(lent[i]->data, i))
			return false;
		fs_cache_put(&cache, lent[i]);
	}
	return cache.stats.rebuilt == LENT;
}

/* Read until the claim is gone, by a program that hears of it where it waits for the disk. */
static bool live_well(exo_slot extra)
{
	for (uint64_t block = PAGES; exos_cap_look(extra); block = (block + 7) % (4 * PAGES))
		if (!block_good(block))
			return false;
	return cache.stats.spared >= PAGES / 2;
}

/* All that is left goes to somebody else in the program: blocks make room. */
static bool blocks_make_room(void)
{
	struct exos_frame_stats stats;
	uint64_t pfn, before = cache.stats.spared;
	exo_slot claim;

	exos_frame_stats(&stats);
	if (exos_frame_alloc(stats.largest + 8, &pfn, &claim) < 0)
		return false;
	if (cache.stats.spared == before || !blocks_good(20))
		return false;
	exos_frame_free(pfn, stats.largest + 8);
	return true;
}

static int live(bool deaf)
{
	exo_slot extra;

	if (!cache_fill())
		return SUITE_EXIT_FAIL;
	extra = exos_grant("extra", 0)->slot;
	exos_page()->exit_code = REVOKE_PART_FILLED;
	if (!(deaf ? live_deaf(extra) : live_well(extra)))
		return NOT_WELL;
	if (!blocks_good(2 * PAGES))
		return NOT_READ;
	if (!blocks_make_room() || !blocks_good(PAGES))
		return NO_ROOM;
	return cache.stats.errors || fs_cache_end(&cache) < 0 ? NOT_ENDED : 0;
}

int reader_part(void)
{
	return live(false);
}

int deaf_reader_part(void)
{
	return live(true);
}

static void ask(const char *name, uint64_t ms, int taken)
{
	const struct exos_grant *blocks = exos_grant("disk", 0);
	const struct exos_spawn_grant disk_share = {
		"disk", blocks->slot, blocks->lo, blocks->hi, EXO_R_READ | EXO_SHARE, 0,
	};
	const struct revoke_part part = {
		.name = name, .own = HALF, .extra = HALF, .grant = &disk_share,
	};

	if (disk_block_bytes() != 512)
		guest_skip("the disk has blocks of another size");
	revoke_part_ask(&part, ms, taken);
}

EXO_TEST(a_reader_gives_half_of_its_memory_and_reads_on, DISK)
{
	ask("reader", 15000, 0);
}

EXO_TEST(a_reader_whose_cache_is_taken_reads_it_again, DISK)
{
	ask("deaf-reader", 300, 1);
}
