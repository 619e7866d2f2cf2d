/* SPDX-License-Identifier: MIT */
/*
 * popcount.c - the function that __builtin_popcountl becomes where the processor may lack popcnt.
 *
 * The compilers' own run-time library has it (GCC internals, "Integer library routines"); it is
 * not linked, for its code may use registers that the kernel does not save.
 */
int __popcountdi2(long value);

/* Bits set in value: sums of neighbouring bits, pairs, nibbles, then all bytes by one product. */
int __popcountdi2(long value)
{
	unsigned long v = (unsigned long)value;

	v -= v >> 1 & 0x5555555555555555ul;
	v = (v & 0x3333333333333333ul) + (v >> 2 & 0x3333333333333333ul);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0ful;
	return (int)(v * 0x0101010101010101ul >> 56);
}
