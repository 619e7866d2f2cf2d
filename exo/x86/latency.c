/* SPDX-License-Identifier: MIT */
/*
 * latency.c - leading the ways into and out of the kernel round by those that measure.
 *
 * Invariant: the kernel's text changes at most once, before user mode is entered for the first time
 * and before a second CPU runs.  Each site begins with whole instructions of five bytes or more,
 * which the way round does in their place.
 */
#include "x86/latency.h"

#include "kernel.h"

#define JUMP 0xe9               /* jmp rel32 (SDM 2A, JMP) */

/* Filled by LATENCY_SITE of entry.S. */
struct latency_site {
	uint64_t at, to;
};
extern const struct latency_site latency_sites[], latency_sites_end[];

bool latency_on;

static void site_lead(const struct latency_site *s, uint64_t kernel_pa)
{
	uint8_t *code = phys_to_virt(s->at - EXO_KERNEL_VA + kernel_pa);
	int32_t distance = (int32_t)(s->to - (s->at + 5));

	code[0] = JUMP;
	memcpy(code + 1, &distance, sizeof(distance));
}

void latency_start(bool wanted, uint64_t kernel_pa)
{
	if (!wanted)
		return;
	for (const struct latency_site *s = latency_sites; s < latency_sites_end; s++)
		site_lead(s, kernel_pa);
	write_cr3(read_cr3());          /* serializes: nothing fetched before is executed */
	latency_on = true;
}

void latency_end(struct cpu *c)
{
	struct exo_latency *l = (void *)((char *)c->stats + EXO_LATENCY_OFF);
	uint32_t took = (uint32_t)(read_tsc() - c->entered);

	if (latency_on && took > l->longest[c->cause])
		l->longest[c->cause] = took;
}
