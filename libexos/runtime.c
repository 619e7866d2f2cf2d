/* SPDX-License-Identifier: MIT */
/*
 * runtime.c - functions that the compiler calls by itself where the processor's baseline lacks an
 * instruction.
 */
#include <stdint.h>

int __popcountdi2(int64_t word);

/*
 * Set bits: pairs, nibbles and bytes are summed side by side, then all bytes by a multiplication.
 */
int __popcountdi2(int64_t word)
{
	uint64_t x = (uint64_t)word;

	x -= x >> 1 & 0x5555555555555555ul;
	x = (x & 0x3333333333333333ul) + (x >> 2 & 0x3333333333333333ul);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0ful;
	return (int)(x * 0x0101010101010101ul >> 56);
}
