/* SPDX-License-Identifier: MIT */
/*
 * disk.c - how fast does the disk itself read: 4 KiB here and there, one and 32 at a time, and
 * 1 MiB in a row?
 */
#include "row.h"
#include "system.h"

#define PAGES 4096u             /* of the disk that are read, 16 MiB */
#define STEP  1597u             /* between them; prime to PAGES */

static uint32_t page[SYSTEM_DISK_MOST], at, count;
static bool together, wrong;
static uint64_t sums[PAGES];    /* of each page, as it was when it was read alone */

static uint64_t sum_of(const uint8_t *data)
{
	const uint64_t *word = (const uint64_t *)data;
	uint64_t sum = 1;

	for (uint32_t i = 0; i < SYSTEM_PAGE / 8; i++)
		sum = (sum << 7 | sum >> 57) ^ word[i];
	return sum;
}

static const char *disk_begin(uint32_t pages, bool in_a_row)
{
	count = pages;
	together = in_a_row;
	if (system_disk_start())
		return "the disk could not be opened";
	for (uint32_t i = 0; i < PAGES; i++) {
		if (system_disk_read(&i, 1, true))
			return "the disk could not be read";
		sums[i] = sum_of(system_disk_data(0));
	}
	return NULL;
}

static const char *one_begin(void) { return disk_begin(1, false); }
static const char *many_begin(void) { return disk_begin(32, false); }
static const char *row_begin(void) { return disk_begin(SYSTEM_DISK_MOST, true); }

static void pages_choose(void)
{
	for (uint32_t i = 0; i < count; i++) {
		page[i] = at;
		at = (at + (together ? 1 : STEP)) % PAGES;
	}
}

static void disk_reset(uint32_t rounds)
{
	(void)rounds;
	wrong = false;
}

static void disk_run(uint32_t rounds)
{
	for (uint32_t r = rounds; r; r--) {
		pages_choose();
		wrong |= system_disk_read(page, count, together) != 0;
	}
}

static const char *disk_check(uint32_t rounds)
{
	(void)rounds;
	for (uint32_t i = 0; i < count; i++)
		wrong |= sum_of(system_disk_data(i)) != sums[page[i]];
	return wrong ? "other bytes came than were asked for" : NULL;
}

#define DISK(id, first, each, times) \
	static const struct bench_row id = { \
		.name = #id, .rounds = times, .share = each, \
		.flags = BENCH_DISK | BENCH_LONG | BENCH_TIME, .begin = first, \
		.reset = disk_reset, .run = disk_run, .check = disk_check, .end = system_disk_end, \
	}; \
	BENCH_ROW(id)
DISK(disk_read4k_qd1, one_begin, 1, 32);
DISK(disk_read4k_qd32, many_begin, 32, 4);
DISK(disk_read1m, row_begin, 1, 4);
