/* SPDX-License-Identifier: MIT */
/*
 * insn.h - the instruction of libnet that C cannot say: the processor's random numbers.
 */
#ifndef LIBNET_LWIP_X86_INSN_H
#define LIBNET_LWIP_X86_INSN_H

#include <stdbool.h>
#include <stdint.h>

/* 64 random bits (SDM 2B, RDRAND); false: none at the moment. Needs CPUID.1:ECX[30]. */
static inline bool insn_random(uint64_t *bits)
{
	uint8_t good;

	__asm__ volatile("rdrand %0; setc %1" : "=r"(*bits), "=qm"(good) : : "cc");
	return good;
}

#endif
