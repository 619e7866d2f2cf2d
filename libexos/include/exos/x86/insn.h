/* SPDX-License-Identifier: MIT */
/*
 * insn.h - the instructions that C cannot say; the only inline assembly of the libraries.
 *
 * Invariant: each function is one instruction or one instruction with its operands in place.
 * Longer sequences are in the .S files.
 */
#ifndef EXOS_X86_INSN_H
#define EXOS_X86_INSN_H

#include <stdint.h>

/*
 * Kernel calls: number and result in rax, arguments in rdi, rsi, rdx, r10, r8.  Lost are rcx and
 * r11 (SDM 2B, SYSCALL) and, since the kernel zeroes what it does not preserve, rdi, rsi, rdx and
 * r8 to r10.
 */
static inline int64_t insn_call0(uint64_t number)
{
	int64_t result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number)
			 : "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11", "memory");
	return result;
}

static inline int64_t insn_call1(uint64_t number, uint64_t a)
{
	int64_t result;

	__asm__ volatile("syscall" : "=a"(result), "+D"(a) : "a"(number)
			 : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory");
	return result;
}

static inline int64_t insn_call2(uint64_t number, uint64_t a, uint64_t b)
{
	int64_t result;

	__asm__ volatile("syscall" : "=a"(result), "+D"(a), "+S"(b) : "a"(number)
			 : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory");
	return result;
}

static inline int64_t insn_call3(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	int64_t result;

	__asm__ volatile("syscall" : "=a"(result), "+D"(a), "+S"(b), "+d"(c) : "a"(number)
			 : "rcx", "r8", "r9", "r10", "r11", "memory");
	return result;
}

static inline int64_t insn_call4(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	register uint64_t r10 __asm__("r10") = d;
	int64_t result;

	__asm__ volatile("syscall" : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10)
			 : "a"(number) : "rcx", "r8", "r9", "r11", "memory");
	return result;
}

static inline int64_t insn_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
				 uint64_t e)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	int64_t result;

	__asm__ volatile("syscall"
			 : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
			 : "a"(number) : "rcx", "r9", "r11", "memory");
	return result;
}

/* Calls that may run another environment first: they lose what all others lose. */
static inline int64_t insn_switch2(uint64_t number, uint64_t a, uint64_t b)
{
	return insn_call2(number, a, b);
}

/* The time stamp counter, not ordered against other instructions. */
static inline uint64_t insn_tsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* The same after all earlier instructions have completed (SDM 2B, RDTSC). */
static inline uint64_t insn_tsc_ordered(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

/* Tell the processor that this is a wait loop. */
static inline void insn_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Fill `words` 8-byte words. */
static inline void insn_fill(void *dst, uint64_t word, uint64_t words)
{
	__asm__ volatile("rep stosq" : "+D"(dst), "+c"(words) : "a"(word) : "memory");
}

/* Copy `words` 8-byte words upwards. */
static inline void insn_copy(void *dst, const void *src, uint64_t words)
{
	__asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(words) : : "memory");
}

/* The 8-byte word at FS base + offset. */
static inline uint64_t insn_fs_word(uint64_t offset)
{
	uint64_t word;

	__asm__ volatile("movq %%fs:(%1), %0" : "=r"(word) : "r"(offset));
	return word;
}

/* Set the FS base; needs CR4.FSGSBASE, which the kernel sets where CPUID has it. */
static inline void insn_fs_base_set(uint64_t base)
{
	__asm__ volatile("wrfsbase %0" : : "r"(base) : "memory");
}

/* An invalid instruction: the end of a panic that cannot even exit. */
static inline void insn_trap(void)
{
	__asm__ volatile("ud2");
}

static inline void insn_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	__asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(sub));
}

#endif
