/* SPDX-License-Identifier: MIT */
/*
 * disk_write.c - how fast does the disk itself write: 4 KiB here and there, one and 32 at a time,
 * and 1 MiB in a row?
 *
 * The pages lie in the half of the disk that no file is in (bench/disk.py), and each carries its
 * own number and that of the write: the last that were written are read again and looked at.
 */
#include "row.h"
#include "system.h"

#define FIRST 8192u             /* page of the disk: 32 MiB on */
#define PAGES 4096u             /* that are written, 16 MiB */
#define STEP  1597u             /* between them; prime to PAGES */

static uint32_t page[SYSTEM_DISK_MOST], at, count;
static uint64_t writes;
static bool together, wrong;

static const char *write_begin(uint32_t pages, bool in_a_row)
{
	count = pages;
	together = in_a_row;
	at = 0;
	return system_disk_start() ? "the disk could not be opened" : NULL;
}

static const char *one_begin(void) { return write_begin(1, false); }
static const char *many_begin(void) { return write_begin(32, false); }
static const char *row_begin(void) { return write_begin(SYSTEM_DISK_MOST, true); }

/* Where the next pages go, and what they say: the last word too, so that no part can be missing. */
static void pages_choose(void)
{
	writes++;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t *word = (uint64_t *)system_disk_data(i);

		page[i] = FIRST + at;
		at = (at + (together ? 1 : STEP)) % PAGES;
		word[0] = word[SYSTEM_PAGE / 8 - 1] = (uint64_t)page[i] << 32 | (uint32_t)writes;
	}
}

static void write_reset(uint32_t rounds)
{
	(void)rounds;
	wrong = false;
}

static void write_run(uint32_t rounds)
{
	for (uint32_t r = rounds; r; r--) {
		pages_choose();
		wrong |= system_disk_write(page, count, together) != 0;
	}
}

static const char *write_check(uint32_t rounds)
{
	(void)rounds;
	for (uint32_t i = 0; i < count; i++)
		*(volatile uint64_t *)system_disk_data(i) = 0;
	wrong |= system_disk_read(page, count, together) != 0;
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t *word = (const uint64_t *)system_disk_data(i);
		uint64_t want = (uint64_t)page[i] << 32 | (uint32_t)writes;

		wrong |= word[0] != want || word[SYSTEM_PAGE / 8 - 1] != want;
	}
	return wrong ? "what was written is not on the disk" : NULL;
}

#define WRITE(id, first, each, times) \
	static const struct bench_row id = { \
		.name = #id, .rounds = times, .share = each, \
		.flags = BENCH_DISK | BENCH_LONG | BENCH_TIME, .begin = first, \
		.reset = write_reset, .run = write_run, .check = write_check, \
		.end = system_disk_end, \
	}; \
	BENCH_ROW(id)
WRITE(disk_write4k_qd1, one_begin, 1, 32);
WRITE(disk_write4k_qd32, many_begin, 32, 4);
WRITE(disk_write1m, row_begin, 1, 4);
