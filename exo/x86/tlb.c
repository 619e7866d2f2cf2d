/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - cached translations: this CPU's end at once, other CPUs' before the call returns.
 *
 * Other CPUs are asked by an interrupt and answer by reloading their tables.  Whoever waits for
 * answers gives its own meanwhile, so CPUs that ask each other do not wait for ever; a CPU with
 * interrupts off that waits for a lock answers from there (spin_wait).
 */
#include "tlb.h"

#include <exo/space.h>

#include "cpu.h"
#include "kernel.h"
#include "run.h"
#include "table.h"
#include "trace.h"
#include "x86/enter.h"
#include "x86/lapic.h"
#include "x86/trap.h"

#define TLB_PAGES 32            /* more pages at a time than this, and everything is invalidated */

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

/* CPUs that use the space must be asked. */
static void note_space(struct tlb_notes *n, uint64_t space)
{
	n->every_space |= n->space && n->space != space;
	n->any = true;
	n->space = space;
}

/* Who else may have cached what was lost: other CPUs in the space, or guests and devices. */
static void note_others(struct cpu *c, uint64_t space)
{
	if (space != c->space && *table_link(space, TABLE_USE) != EXO_SPACE_ENV)
		c->notes.any = c->notes.special = true;
	else if (cpu_count > 1)
		note_space(&c->notes, space);
}

void tlb_note(uint64_t space, uint64_t va, uint64_t pages, uint64_t bytes, bool lost)
{
	struct cpu *c = this_cpu();

	if (space == c->space) {
		c->stats->tlb_pages += pages;
		if (c->page)
			c->page->invalidations += pages;
		if (pages == 1)
			invlpg(va);
		else if (pages > TLB_PAGES)
			tlb_load(c);
		else
			for (; pages; pages--, va += bytes)
				invlpg(va);
	}
	if (lost)
		note_others(c, space);
}

void tlb_note_end(uint64_t space, uint64_t va, uint64_t bytes)
{
	struct tlb_notes *n = &this_cpu()->notes;

	if (space != this_cpu()->space || ++n->own <= TLB_PAGES) {
		tlb_note(space, va, 1, bytes, true);
		return;
	}
	note_space(n, space);
}

void tlb_note_all(uint64_t space)
{
	tlb_note(space, 0, TLB_PAGES + 1, 0, true);
}

void tlb_ask(struct cpu *c)
{
	__atomic_add_fetch(&c->tlb_asked, 1, __ATOMIC_SEQ_CST);
	lapic_send(c->apic_id, VECTOR_TLB);
}

/* What others ask later is not waited for, or this could go on for ever. */
void tlb_await(const struct cpu *c)
{
	uint32_t asked = __atomic_load_n(&c->tlb_asked, __ATOMIC_SEQ_CST);

	while ((int32_t)(__atomic_load_n(&c->tlb_answered, __ATOMIC_SEQ_CST) - asked) < 0)
		spin_wait();
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
		tlb_ask(c);
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
	for (unsigned i = 0; i < cpu_count; i++)
		if (asked[i])
			tlb_await(cpus[i]);
}

void tlb_flush_others(void)
{
	struct cpu *c = this_cpu();

	if (c->notes.own > TLB_PAGES)
		tlb_load(c);
	flush_others(c, &c->notes);
	if (c->notes.special) {
		guests_flush();
		devices_flush();
	}
	c->notes = (struct tlb_notes){ .space = 0 };
}

void tlb_flush_noted(void)
{
	if (this_cpu()->notes.any)
		tlb_flush_others();
}

void tlb_flush_kernel(void)
{
	struct cpu *self = this_cpu();

	tlb_load(self);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i] != self)
			tlb_ask(cpus[i]);
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i] != self)
			tlb_await(cpus[i]);
}
