/* SPDX-License-Identifier: MIT */
/*
 * virtio_fake.h - a machine small enough for a host test, in place of the kernel's direct map and
 * processor instructions.  Included before all else (-include) by tests of the kernel's devices.
 *
 * Invariant: physical addresses are offsets into fake_ram; anything else is a bug of the test.
 */
#ifndef VIRTIO_FAKE_H
#define VIRTIO_FAKE_H

#include <stdint.h>

/* In place of exo/x86/direct.h */
#define EXO_X86_DIRECT_H
#include <exo/boot.h>
#include <exo/types.h>

extern uint8_t *fake_ram;       /* defined by each test */

static inline void *phys_to_virt(uint64_t pa) { return fake_ram + pa; }
static inline uint64_t virt_to_phys(const void *va)
{
	return (uint64_t)((const uint8_t *)va - fake_ram);
}
static inline void *pfn_to_virt(uint64_t pfn) { return phys_to_virt(pfn << EXO_PAGE_SHIFT); }

/* In place of exo/x86/insn.h: ports and time are the test's. */
#define EXO_X86_INSN_H
void *percpu_self(void);        /* of those that hold a share of tree_lock */
void out8(uint16_t port, uint8_t v);
void out16(uint16_t port, uint16_t v);
void out32(uint16_t port, uint32_t v);
uint8_t in8(uint16_t port);
uint16_t in16(uint16_t port);
uint32_t in32(uint16_t port);
uint64_t read_tsc(void);
/* What happens meanwhile where the kernel waits; only some tests have it. */
__attribute__((weak)) void fake_pause(void);
static inline void cpu_pause(void)
{
	if (fake_pause)
		fake_pause();
}

/* Is a struct lock of exo/lock.h taken? */
#define LOCKED(l) ((l).held != 0)

#endif
