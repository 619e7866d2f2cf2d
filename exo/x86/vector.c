/* SPDX-License-Identifier: MIT */
/*
 * vector.c - vector (x87, SSE, AVX) state: saved only when another environment uses it or runs.
 *
 * Invariant: the registers are within reach (TS clear) only while their owner is the CPU's present
 * environment.  An environment that leaves its CPU leaves its state in its third frame.
 */
#include "vector.h"

#include <base/string.h>

#include "cpu.h"
#include "kernel.h"
#include "x86/bases.h"

#define CR0_MP (1ul << 1)
#define CR0_EM (1ul << 2)
#define CR0_TS (1ul << 3)
#define CR0_NE (1ul << 5)
#define CR4_OSFXSR     (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_OSXSAVE    (1ul << 18)

#define XSAVE_HEADER       512  /* of an area of xsave */
#define XSAVE_HEADER_BYTES 64

/* x87, SSE, AVX, AVX-512 */
#define STATES_WANTED 0xe7ul

bool has_xsave;
uint64_t vector_states = 3;

/* State of a program that has not used it: all off, exceptions masked. */
static uint8_t *clean;

static uint32_t states_bytes(uint64_t mask)
{
	uint32_t r[4];

	xsetbv(0, mask);
	cpuid(0xd, 0, r);
	return r[1];
}

void vectors_probe(void)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	has_xsave = r[2] >> 26 & 1;
	clean = boot_frames(1);
	clean[0] = 0x7f;                        /* x87 control word 0x037f */
	clean[1] = 0x03;
	clean[24] = 0x80;                       /* MXCSR 0x1f80 */
	clean[25] = 0x1f;
	if (!has_xsave)
		return;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	cpuid(0xd, 0, r);
	vector_states = r[0] & STATES_WANTED;
	if (states_bytes(vector_states) > EXO_PAGE_SIZE)
		vector_states &= 7;
}

void vectors_start(void)
{
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | (has_xsave ? CR4_OSXSAVE : 0));
	write_cr0((read_cr0() & ~CR0_EM) | CR0_MP | CR0_NE | CR0_TS);
	if (has_xsave)
		xsetbv(0, vector_states);
	this_cpu()->ts = true;
	this_cpu()->fancy = !has_fsgsbase;
}

static void reach(struct cpu *c)
{
	if (!c->ts)
		return;
	clear_ts();
	c->ts = false;
	c->fancy = true;
}

static void fence(struct cpu *c)
{
	if (c->ts)
		return;
	write_cr0(read_cr0() | CR0_TS);
	c->ts = true;
	c->fancy = !has_fsgsbase || c->vector_owner;
}

/* Saving leaves parts of the header as they were, and restoring wants them zero. */
void vectors_make(void *area)
{
	memset((uint8_t *)area + XSAVE_HEADER, 0, XSAVE_HEADER_BYTES);
}

void vectors_save(struct cpu *c)
{
	struct env *e = __atomic_load_n(&c->vector_owner, __ATOMIC_ACQUIRE);
	void *area;

	if (!e)         /* it was taken from its owner since the caller looked: vectors_disown */
		return;
	area = pfn_to_virt(e->pfn + 2);
	reach(c);
	if (has_xsave)
		xsave(area, vector_states);
	else
		fxsave(area);
	e->has_vectors = VECTORS_VALID | VECTORS_SAVED;
	c->vector_owner = NULL;
	c->stats->vector_saves++;
	e->page->vector_saves++;
	fence(c);
}

void vectors_load(struct cpu *c)
{
	struct env *e = c->env;
	const void *area = e->has_vectors & VECTORS_VALID ? pfn_to_virt(e->pfn + 2) : clean;

	if (c->vector_owner)
		vectors_save(c);
	reach(c);
	if (has_xsave)
		xrstor(area, vector_states);
	else
		fxrstor(area);
	c->vector_owner = e;
	c->stats->vector_loads++;
}

void vectors_fence(struct cpu *c)
{
	if (c->vector_owner == c->env)
		reach(c);
	else
		fence(c);
}
