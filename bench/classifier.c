/* SPDX-License-Identifier: MIT */
/*
 * classifier.c - the kernel's classifier over an arena; see classifier.h.
 *
 * The arena stands at a constant address, as the direct map does, so that the instructions are the
 * kernel's.
 */
#include <exo/types.h>

#include "classifier.h"

static uint8_t arena[CLASSIFIER_FRAMES][EXO_PAGE_SIZE] __attribute__((aligned(EXO_PAGE_SIZE)));

/* In place of exo/x86/direct.h: frame n is arena[n]; 0 is nobody's. */
#define EXO_X86_DIRECT_H
static inline void *phys_to_virt(uint64_t pa) { return (uint8_t *)arena + pa; }
static inline uint64_t virt_to_phys(const void *va)
{
	return (uint64_t)((const uint8_t *)va - (const uint8_t *)arena);
}
static inline void *pfn_to_virt(uint64_t pfn) { return phys_to_virt(pfn << EXO_PAGE_SHIFT); }

#include <filter.c>
#include <filter_check.c>
#include <filter_find.c>
#include <filter_group.c>

static uint32_t used;
static struct exo_nic_spec whole;

static struct filter *frame_take(void)
{
	if (used + 1 >= CLASSIFIER_FRAMES)
		return NULL;
	return memset(arena[++used], 0, EXO_PAGE_SIZE);
}

struct filter *classifier_start(void)
{
	struct filter *root;

	used = 0;
	root = frame_take();
	filter_root(root, 0);
	return root;
}

struct filter *classifier_add(struct filter *parent, const struct exo_nic_spec *spec)
{
	const unsigned rights = EXO_R_READ | EXO_R_WRITE;
	struct filter *f = frame_take();

	if (!f || filter_check(parent, spec, rights, false, &whole) < 0)
		return NULL;
	filter_attach(parent, f, &whole, rights, false);
	return f;
}

uint64_t classifier_run(struct filter *root, const uint8_t (*packet)[EXO_NIC_HEADER],
                        uint32_t count, uint32_t rounds)
{
	uint64_t sum = 0;
	uint32_t at = 0;

	for (uint32_t i = rounds; i; i--) {
		sum += filter_pfn(filter_find(root, packet[at]));
		if (++at == count)
			at = 0;
	}
	return sum;
}
