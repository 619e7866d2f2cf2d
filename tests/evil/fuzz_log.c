/* SPDX-License-Identifier: MIT */
/*
 * fuzz_log.c - records of calls: put into memory by whose turn it is, written to a disk by the
 * test itself.
 *
 * Invariant: actors wait while memory is full; the test's own environment writes it out and never
 * waits for them.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/space.h>
#include <exos/start.h>
#include "fuzz.h"
#include "guest/disk.h"

#define CHUNK 1024u             /* records written at once: 64 KiB */
#define CHUNK_BLOCKS (CHUNK * 64 / 512)

static struct disk disk;
static exo_slot blocks;

/* Room is made by the test itself, which is the writer, or waited for. */
struct fuzz_record *fuzz_record(struct group *g)
{
	struct fuzz_log *log = &g->log;

	while (log->head - __atomic_load_n(&log->tail, __ATOMIC_ACQUIRE) >= FUZZ_BUFFER)
		if (!disk.ring || fuzz.wrong)
			log->tail = log->head;
		else if (g->turn == FUZZ_MAIN)
			fuzz_flush(g, false);
		else
			fuzz_lend_main(&g->actor[g->turn]);
	return &log->record[log->head % FUZZ_BUFFER];
}

void fuzz_note(struct group *g, enum fuzz_what what, int64_t result, const uint64_t *arg,
	       unsigned count)
{
	struct fuzz_record *r = fuzz_record(g);

	*r = (struct fuzz_record){ .sequence = (uint32_t)g->log.head, .what = (uint16_t)what,
				   .result = result };
	memcpy(r->arg, arg, count * sizeof(arg[0]));
	g->log.head++;
}

void fuzz_raw(struct group *g, const void *bytes)
{
	memcpy(fuzz_record(g), bytes, sizeof(struct fuzz_record));
	g->log.head++;
}

/* A chunk from tail on. */
static bool write_out(struct fuzz_log *log)
{
	uint64_t at = log->tail % FUZZ_BUFFER * sizeof(struct fuzz_record);
	struct exo_disk_req req = {
		.slot = log->memory.slot, .pfn = log->memory.lo + at / EXO_PAGE_SIZE,
		.block = log->block, .tag = log->block, .count = CHUNK_BLOCKS,
		.op = EXO_DISK_WRITE,
	};

	if (CHUNK_BLOCKS > log->end - log->block) {
		fuzz_wrong("the disk for the log is too small");
		return false;
	}
	disk_put(&disk, &req);
	if (disk_run(&disk, 1) != 1 || disk_status(&disk, log->block)) {
		fuzz_wrong("the log cannot be written");
		return false;
	}
	log->block += CHUNK_BLOCKS;
	__atomic_store_n(&log->tail, log->tail + CHUNK, __ATOMIC_RELEASE);
	return true;
}

bool fuzz_flush(struct group *g, bool all)
{
	struct fuzz_log *log = &g->log;

	if (!disk.ring || !log->record)
		return true;
	while (__atomic_load_n(&log->head, __ATOMIC_ACQUIRE) - log->tail >= CHUNK)
		if (!write_out(log))
			return false;
	while (all && log->head % CHUNK)        /* the last chunk is filled up */
		fuzz_note(g, FUZZ_DONE, 0, NULL, 0);
	return !all || log->head == log->tail || write_out(log);
}

static bool log_make(struct fuzz_log *log, uint64_t lo, uint64_t hi)
{
	if (!expect_eq(guest_frames_make(&log->memory, FUZZ_BUFFER * 64 / EXO_PAGE_SIZE), 0))
		return false;
	log->record = exos_space_window(log->memory.slot, log->memory.lo,
					log->memory.hi - log->memory.lo, GUEST_RW, NULL);
	log->block = lo;
	log->end = hi;
	return expect(log->record != NULL);
}

bool fuzz_log_open(void)
{
	const struct exos_grant *second = exos_grant("disk", 1);
	uint64_t part = second ? (second->hi - second->lo) / fuzz.ordered : 0;

	for (unsigned i = 0; i < fuzz.ordered; i++) {
		uint64_t lo = second ? second->lo + i * part : 0;

		if (!log_make(&fuzz.group[i].log, lo, lo + part))
			return false;
	}
	if (!second)
		return true;
	blocks = guest_narrow(second->slot, second->lo, second->hi, GUEST_RW);
	return blocks && expect_eq(disk_open(&disk, blocks), 0);
}

void fuzz_log_close(void)
{
	if (disk.ring)
		disk_close(&disk);
	for (unsigned i = 0; i < fuzz.ordered; i++) {
		struct fuzz_log *log = &fuzz.group[i].log;

		if (log->record)
			exos_space_window_end(log->record, log->memory.hi - log->memory.lo);
		if (log->memory.slot)
			guest_frames_end(&log->memory);
	}
	if (blocks)
		exos_cap_end(blocks);
}
