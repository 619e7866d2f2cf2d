/* SPDX-License-Identifier: MIT */
/*
 * claims_fake.h - an arena in place of the kernel's direct map, for host tests of claims.  Included
 * before all else (-include).
 *
 * Invariant: physical addresses are offsets into fake_ram; anything else is a bug of the test.
 */
#ifndef CLAIMS_FAKE_H
#define CLAIMS_FAKE_H

#include <stdint.h>

/* In place of exo/x86/direct.h */
#define EXO_X86_DIRECT_H
#include <exo/boot.h>
#include <exo/types.h>

extern uint8_t fake_ram[];

static inline void *phys_to_virt(uint64_t pa) { return fake_ram + pa; }
static inline uint64_t virt_to_phys(const void *va)
{
	return (uint64_t)((const uint8_t *)va - fake_ram);
}
static inline void *pfn_to_virt(uint64_t pfn) { return phys_to_virt(pfn << EXO_PAGE_SHIFT); }

#endif
