/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - cached translations: collected while entries change, ended before the call returns.
 *
 * Other CPUs are asked by an interrupt and answer by reloading their tables.  Whoever waits for
 * answers gives its own meanwhile, so CPUs that ask each other do not wait for ever; a CPU with
 * interrupts off that waits for a lock answers from there (spin_wait).
 */
#include "tlb.h"

#include "cpu.h"
#include "kernel.h"
#include "run.h"
#include "trace.h"
#include "x86/enter.h"
#include "x86/lapic.h"
#include "x86/trap.h"

static void tlb_load(struct cpu *c)
{
	c->stats->tlb_all++;
	write_cr3(read_cr3());
}

/* Do what other CPUs asked of this one. */
void tlb_answer(void)
{
	struct cpu *c = this_cpu();
	uint32_t asked = __atomic_load_n(&c->tlb_asked, __ATOMIC_SEQ_CST);

	if (asked == __atomic_load_n(&c->tlb_answered, __ATOMIC_RELAXED))
		return;
	tlb_load(c);
	__atomic_store_n(&c->tlb_answered, asked, __ATOMIC_SEQ_CST);
}

void spin_wait(void)
{
	cpu_pause();
	tlb_answer();
}

static void note_space(struct tlb_notes *n, uint64_t space, bool lost)
{
	if (n->any && n->space != space)
		n->every_space = true;
	n->any = true;
	n->space = space;
	n->lost |= lost;
}

void tlb_note(uint64_t space, uint64_t va, uint64_t pages, uint64_t bytes, bool lost)
{
	struct tlb_notes *n = &this_cpu()->notes;

	note_space(n, space, lost);
	if (pages > TLB_PAGES - n->pages)
		n->all = true;
	for (; !n->all && pages; pages--, va += bytes)
		n->va[n->pages++] = va;
}

void tlb_note_all(uint64_t space)
{
	struct tlb_notes *n = &this_cpu()->notes;

	note_space(n, space, true);
	n->all = true;
}

static void flush_here(struct cpu *c, const struct tlb_notes *n)
{
	if (!n->every_space && c->space != n->space)
		return;
	if (n->all || n->every_space) {
		tlb_load(c);
		return;
	}
	c->stats->tlb_pages += n->pages;
	for (unsigned i = 0; i < n->pages; i++)
		invlpg(n->va[i]);
}

/* Ask each other CPU that uses the space; how many there are is told in `asked`. */
static unsigned flush_ask(struct cpu *self, const struct tlb_notes *n, bool asked[])
{
	unsigned count = 0;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < cpu_count; i++) {
		struct cpu *c = cpus[i];
		uint64_t space = __atomic_load_n(&c->space, __ATOMIC_SEQ_CST);

		asked[i] = c != self && space && (n->every_space || space == n->space);
		if (!asked[i])
			continue;
		__atomic_add_fetch(&c->tlb_asked, 1, __ATOMIC_SEQ_CST);
		lapic_send(c->apic_id, VECTOR_TLB);
		count++;
	}
	return count;
}

static void flush_others(struct cpu *self, const struct tlb_notes *n)
{
	bool asked[CPUS_MAX];
	unsigned count = flush_ask(self, n, asked);

	if (!count)
		return;
	trace_record(EXO_TRACE_SHOOT, n->space, count);
	for (unsigned i = 0; i < cpu_count; i++) {
		const struct cpu *c = cpus[i];

		while (asked[i] && __atomic_load_n(&c->tlb_answered, __ATOMIC_SEQ_CST) !=
		                           __atomic_load_n(&c->tlb_asked, __ATOMIC_SEQ_CST))
			spin_wait();
	}
}

void tlb_flush(void)
{
	struct cpu *c = this_cpu();
	struct tlb_notes *n = &c->notes;

	if (!n->any)
		return;
	flush_here(c, n);
	if (n->lost && cpu_count > 1)
		flush_others(c, n);
	n->any = n->all = n->every_space = n->lost = false;
	n->pages = 0;
}

void space_load(struct cpu *c, uint64_t space)
{
	if (c->space == space)
		return;
	c->stats->space_loads++;
	__atomic_store_n(&c->space, space, __ATOMIC_SEQ_CST);
	write_cr3(space ? space << EXO_PAGE_SHIFT : virt_to_phys(kernel_pml4));
}
