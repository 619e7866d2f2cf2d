/* SPDX-License-Identifier: MIT */
/*
 * gdt.S - void load_segments(void): load kernel segments after a new descriptor table.
 *
 * Assembly because the code segment can only be loaded by a far return.
 */
#include "x86/offsets.h"
	.text
	.globl load_segments
load_segments:
	pop %rdi
	mov $KERNEL_SS, %eax
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	push $KERNEL_CS
	push %rdi
	lretq
