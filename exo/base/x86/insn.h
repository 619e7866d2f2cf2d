/* SPDX-License-Identifier: MIT */
/*
 * insn.h - the processor's string instructions, by 8-byte words and upwards.
 *
 * Invariant: the direction flag is clear, as the ABI has it at each call.  Nothing else of the
 * processor is used by base.
 */
#ifndef BASE_X86_INSN_H
#define BASE_X86_INSN_H

#include <stddef.h>
#include <stdint.h>

/* Store `word` `count` times from dst on; returns the address behind. */
static inline void *insn_fill(void *dst, uint64_t word, size_t count)
{
	__asm__ volatile("rep stosq" : "+D"(dst), "+c"(count) : "a"(word) : "memory");
	return dst;
}

/* Copy `count` words; *dst and *src are left behind what was copied. */
static inline void insn_copy(char **dst, const char **src, size_t count)
{
	__asm__ volatile("rep movsq" : "+D"(*dst), "+S"(*src), "+c"(count) : : "memory");
}

#endif
