/* SPDX-License-Identifier: MIT */
/*
 * vtd_queue.c - making a VT-d unit forget: queued invalidation (specification 3.0, 6.5.2).
 *
 * Invariant: the queue is empty whenever nobody holds the unit's lock: each use ends with a wait
 * descriptor and waits for it, with a limit.  A unit past the limit works no more.
 */
#include "dev/vtd.h"

#include "dev/pci_function.h"
#include "kernel.h"
#include "x86/insn.h"

enum {
	QUEUE = 256,            /* descriptors of 16 bytes: one frame */
	TYPE_CONTEXT = 1,
	TYPE_PAGES = 2,
	TYPE_INTERRUPTS = 4,
	TYPE_WAIT = 5,
	GLOBAL = 1 << 4,        /* of contexts and pages; of interrupts it is 0 */
	DRAIN = 3 << 6,         /* of pages: reads and writes under way are finished first */
	WAIT_WRITE = 1 << 5,
	WAIT_FENCE = 1 << 6,
	LIMIT_PART = 2,         /* of a second */
};

static void put(struct vtd_unit *u, uint64_t lo, uint64_t hi)
{
	u->queue[u->tail] = (struct vtd_entry){ lo, hi };
	u->tail = (u->tail + 1) % QUEUE;
}

static bool wait_done(const struct vtd_unit *u)
{
	uint64_t begin = read_tsc();

	while (*u->done != u->asked) {
		if (read_tsc() - begin > machine->tsc_hz / LIMIT_PART)
			return false;
		spin_wait();
	}
	return true;
}

void vtd_forget(struct vtd_unit *u, unsigned what)
{
	bool done;

	if (!u->works)
		return;
	lock_take(&u->lock);
	/* Tables may lie in this CPU's cache where the unit does not look. */
	if (!(u->ecap & 1))
		write_caches();
	if (what & VTD_CONTEXTS)
		put(u, TYPE_CONTEXT | GLOBAL, 0);
	if (what & (VTD_CONTEXTS | VTD_PAGES))
		put(u, TYPE_PAGES | GLOBAL | DRAIN, 0);
	if (what & VTD_INTERRUPTS)
		put(u, TYPE_INTERRUPTS, 0);
	u->asked++;
	put(u, TYPE_WAIT | WAIT_WRITE | WAIT_FENCE | (uint64_t)u->asked << 32,
	    virt_to_phys((const void *)u->done));
	vtd_write64(u, VTD_IQT, u->tail * sizeof(struct vtd_entry));
	done = wait_done(u);
	lock_release(&u->lock);
	if (done)
		return;
	u->works = false;
	pci_functions_stop();
}

void vtd_forget_all(unsigned what)
{
	for (uint32_t i = 0; i < vtd_count; i++)
		vtd_forget(&vtd_units[i], what);
}

void vtd_entry_set(struct vtd_entry *e, uint64_t lo, uint64_t hi)
{
	__atomic_store_n(&e->lo, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&e->hi, hi, __ATOMIC_SEQ_CST);
	__atomic_store_n(&e->lo, lo, __ATOMIC_SEQ_CST);
}
