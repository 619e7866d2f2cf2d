/* SPDX-License-Identifier: MIT */
/*
 * direct.h - the direct map: all RAM at one offset, for the kernel only.
 */
#ifndef EXO_X86_DIRECT_H
#define EXO_X86_DIRECT_H

#include <exo/boot.h>
#include <exo/types.h>

static inline void *phys_to_virt(uint64_t pa) { return (void *)(pa + EXO_DIRECT_VA); }
static inline uint64_t virt_to_phys(const void *va) { return (uint64_t)va - EXO_DIRECT_VA; }
static inline void *pfn_to_virt(uint64_t pfn) { return phys_to_virt(pfn << EXO_PAGE_SHIFT); }

#endif
