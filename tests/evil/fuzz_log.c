/* SPDX-License-Identifier: MIT */
/*
 * fuzz_log.c - making calls, and their records: counted, put into memory, written to a disk.
 *
 * Invariant: a record is in memory before the lock is given up.  Actors wait while memory is full;
 * the test's own environment writes it out and never waits for them.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/gate.h>
#include <exos/space.h>
#include <exos/start.h>
#include "fuzz.h"
#include "guest/disk.h"
#include "guest/x86/insn.h"

#define CHUNK 1024u             /* records written at once: 64 KiB */

struct fuzz fuzz;

static struct disk disk;
static struct guest_frames memory;
static exo_slot blocks;
static uint64_t block;          /* the next, of 512 bytes */
static bool full;               /* the disk took no more: records are lost */

void fuzz_wrong(const char *why)
{
	if (!fuzz.wrong++)
		string_copy(fuzz.why, why, sizeof(fuzz.why));
}

/*
 * By name, so that what is left of the slice does not go to the victim; a busy one runs on another
 * CPU.
 */
static void lend(const struct actor *a, const struct actor *to)
{
	unsigned index = to ? HAS_ENV + to->number : HAS_MAIN;

	if (exo_env_yield(exo_slot_make(a->peer.sid + index, a->peer.slots[index].gen)) < 0)
		insn_pause();
}

void fuzz_yield(const struct actor *a) { lend(a, NULL); }

void fuzz_lock(const struct actor *a)
{
	while (__atomic_exchange_n(&fuzz.lock, 1, __ATOMIC_ACQUIRE))
		lend(a, fuzz.holder);
	fuzz.holder = a;
}

bool fuzz_lock_try(void)
{
	const struct actor *holder = fuzz.holder;

	if (!__atomic_exchange_n(&fuzz.lock, 1, __ATOMIC_ACQUIRE)) {
		fuzz.holder = NULL;
		return true;
	}
	exo_env_yield(holder ? holder->peer.env : 0);
	return false;
}

void fuzz_unlock(void)
{
	__atomic_store_n(&fuzz.lock, 0, __ATOMIC_RELEASE);
}

/* Lock held; waits for room, or makes it if it is the writer itself. */
static struct fuzz_record *record(void)
{
	while (fuzz.head - fuzz.tail >= FUZZ_BUFFER)
		if (!disk.ring || full)
			fuzz.tail = fuzz.head;
		else if (fuzz.checking)
			fuzz_flush(false);
		else if (fuzz.holder)
			lend(fuzz.holder, NULL);
	return &fuzz.log[fuzz.head % FUZZ_BUFFER];
}

void fuzz_note(enum fuzz_what what, int64_t result, const uint64_t *arg, unsigned count)
{
	struct fuzz_record *r = record();

	*r = (struct fuzz_record){ .sequence = (uint32_t)fuzz.head, .what = (uint16_t)what,
				   .result = result };
	memcpy(r->arg, arg, count * sizeof(arg[0]));
	fuzz.head++;
}

void fuzz_raw(const void *bytes)
{
	memcpy(record(), bytes, sizeof(struct fuzz_record));
	fuzz.head++;
}

/* Lock held.  Pieces of one act, all but the last, are neither counted nor logged. */
static int64_t count(struct actor *a, uint32_t number, int64_t result, const uint64_t arg[5])
{
	unsigned error = result < 0 ? (unsigned)min_u64((uint64_t)-result, 31) : 0;
	struct fuzz_record *r;

	if (result == EXO_MORE && (number == EXO_CALL_cap_drop || number == EXO_CALL_cap_revoke))
		return result;
	r = record();
	*r = (struct fuzz_record){ .sequence = (uint32_t)fuzz.head, .what = (uint16_t)number,
				   .actor = (uint16_t)a->number, .result = result };
	memcpy(r->arg, arg, 5 * sizeof(arg[0]));
	fuzz.head++;
	fuzz.reached[number % FUZZ_CALLS][error]++;
	fuzz.calls++;
	fuzz.succeeded += result >= 0;
	a->calls++;
	return result;
}

static int64_t call(struct actor *a, uint32_t number, const uint64_t arg[5])
{
	int64_t result;

	if (fuzz.ordered)
		return count(a, number, insn_call5(number, arg[0], arg[1], arg[2], arg[3], arg[4]),
			     arg);
	fuzz_unlock();
	result = insn_call5(number, arg[0], arg[1], arg[2], arg[3], arg[4]);
	fuzz_lock(a);
	return count(a, number, result, arg);
}

int64_t fuzz_call(struct actor *a, uint32_t number, uint64_t a0, uint64_t a1, uint64_t a2,
		  uint64_t a3, uint64_t a4)
{
	const uint64_t arg[5] = { a0, a1, a2, a3, a4 };
	int64_t result;

	fuzz_lock(a);
	result = call(a, number, arg);
	fuzz_unlock();
	return result;
}

int64_t fuzz_end(struct actor *a, uint32_t number, exo_slot slot)
{
	const uint64_t arg[5] = { slot };
	int64_t result;

	fuzz_lock(a);
	do
		result = call(a, number, arg);
	while (result == EXO_MORE);
	fuzz_unlock();
	return result;
}

int64_t fuzz_map(struct actor *a, exo_slot space, const struct exo_map_op *op)
{
	const uint64_t words[6] = { op->slot, op->va, op->pfn, op->pages, op->op, op->prot };
	const uint64_t arg[5] = { space, (uint64_t)op, 1 };
	int64_t result;

	fuzz_lock(a);
	fuzz_note(FUZZ_OP, 0, words, 6);
	result = call(a, EXO_CALL_space_update, arg);
	fuzz_unlock();
	return result;
}

int64_t fuzz_gate(struct actor *a, exo_slot gate, exo_slot cap)
{
	const uint64_t arg[5] = { gate, cap };
	struct exos_gate_message m = { .cap = cap };
	int64_t result;

	if (fuzz.ordered)
		fuzz_lock(a);
	result = exos_gate_call_once(gate, &m);
	if (!fuzz.ordered)
		fuzz_lock(a);
	count(a, EXO_CALL_gate_call, result, arg);
	fuzz_unlock();
	return result;
}

/* `records` of them from tail on, which do not wrap. */
static bool write_out(uint64_t records)
{
	uint64_t at = fuzz.tail % FUZZ_BUFFER * sizeof(struct fuzz_record);
	struct exo_disk_req req = {
		.slot = memory.slot, .pfn = memory.lo + at / EXO_PAGE_SIZE, .block = block,
		.tag = block, .count = (uint32_t)(records * sizeof(struct fuzz_record) / 512),
		.offset = (uint32_t)(at % EXO_PAGE_SIZE), .op = EXO_DISK_WRITE,
	};

	disk_put(&disk, &req);
	if (disk_run(&disk, 1) != 1 || disk_status(&disk, block)) {
		fuzz_wrong("the log cannot be written");
		full = true;
		return false;
	}
	block += req.count;
	fuzz.tail += records;
	return true;
}

bool fuzz_flush(bool all)
{
	if (!disk.ring)
		return true;
	while (fuzz.head - fuzz.tail >= CHUNK)
		if (!write_out(CHUNK))
			return false;
	while (all && fuzz.head % CHUNK)        /* the last chunk is filled up */
		fuzz_note(FUZZ_DONE, 0, NULL, 0);
	return !all || fuzz.head == fuzz.tail || write_out(CHUNK);
}

bool fuzz_log_open(void)
{
	const struct exos_grant *second = exos_grant("disk", 1);
	int err;

	if (!expect_eq(guest_frames_make(&memory, FUZZ_BUFFER * 64 / EXO_PAGE_SIZE), 0))
		return false;
	fuzz.log = exos_space_window(memory.slot, memory.lo, memory.hi - memory.lo, GUEST_RW, &err);
	if (!fuzz.log || !second)
		return expect(fuzz.log != NULL);
	blocks = guest_narrow(second->slot, second->lo, second->hi, GUEST_RW);
	return blocks && expect_eq(disk_open(&disk, blocks), 0);
}

void fuzz_log_close(void)
{
	if (disk.ring)
		disk_close(&disk);
	exos_space_window_end(fuzz.log, memory.hi - memory.lo);
	guest_frames_end(&memory);
	if (blocks)
		exos_cap_end(blocks);
}
