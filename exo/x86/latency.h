/* SPDX-License-Identifier: MIT */
/*
 * latency.h - how long interrupts are off: measured where the boot line says `latency`.
 *
 * Interrupts are off from each way into the kernel to the way out, and in the idle loop but while
 * it sleeps.  What an environment sees of it: struct exo_latency.
 */
#ifndef EXO_X86_LATENCY_H
#define EXO_X86_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"

/*
 * Lead all ways in and out of user mode round by ways.S, if `wanted`; otherwise they stay as
 * they are, and measuring costs nothing.  Boot only, before any other CPU was started.
 * kernel_pa: physical address of the kernel's image.
 */
void latency_start(bool wanted, uint64_t kernel_pa);

extern bool latency_on;

/* A time with interrupts off begins, for this cause (EXO_LATENCY_*). */
static inline void latency_begin(struct cpu *c, uint64_t cause)
{
	c->entered = read_tsc();
	c->cause = cause;
}

/* It ends. */
void latency_end(struct cpu *c);

/* The same around a guest's run, which interrupts end: the time in the guest is not counted. */
static inline void latency_guest(struct cpu *c)
{
	if (latency_on)
		latency_end(c);
}
static inline void latency_host(struct cpu *c)
{
	if (latency_on)
		latency_begin(c, c->cause);
}

#endif
