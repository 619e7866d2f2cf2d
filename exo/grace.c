/* SPDX-License-Identifier: MIT */
/*
 * grace.c - have all CPUs left the kernel since?
 *
 * A CPU that entered the kernel anew has left it before; an idle one counts as entering each time
 * it wakes, and is woken to that end.  One round of looking at all CPUs runs at a time; a ticket is
 * good when a round that began after it is over.  tree_lock held.
 */
#include "cpu.h"
#include "run.h"
#include "x86/lapic.h"

static uint32_t round_begun, round_done;
static uint64_t entries_seen[CPUS_MAX];

static void round_begin(void)
{
	round_begun++;
	/* What was forgotten is forgotten before the counts are read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < cpu_count; i++) {
		entries_seen[i] = __atomic_load_n(&cpus[i]->stats->entries, __ATOMIC_SEQ_CST);
		if (cpus[i] != this_cpu())
			lapic_kick(cpus[i]);
	}
}

static bool round_over(void)
{
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i] != this_cpu() &&
		    __atomic_load_n(&cpus[i]->stats->entries, __ATOMIC_SEQ_CST) == entries_seen[i])
			return false;
	return true;
}

uint32_t grace_ticket(void)
{
	if (round_begun != round_done)
		return round_begun + 1;
	round_begin();
	return round_begun;
}

int grace_over(uint32_t ticket)
{
	if (round_begun != round_done && round_over())
		round_done = round_begun;
	if ((int32_t)(round_done - ticket) >= 0)
		return 1;
	if (round_begun == round_done)
		round_begin();
	return 0;
}
