/* SPDX-License-Identifier: MIT */
/*
 * insn.h - the instructions the loader needs that C has not.  The only inline assembly in uefi/.
 */
#ifndef UEFI_X86_INSN_H
#define UEFI_X86_INSN_H

#include <stdint.h>

static inline uint64_t insn_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void insn_cli(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline uint64_t insn_read_cr4(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline uint32_t insn_cpuid_eax(uint32_t leaf)
{
	uint32_t ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(leaf), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return leaf;
}

static inline uint32_t insn_cpuid_edx(uint32_t leaf)
{
	uint32_t ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(leaf), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return edx;
}

#endif
