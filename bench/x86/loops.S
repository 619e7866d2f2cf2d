/* SPDX-License-Identifier: MIT */
/*
 * loops.S - loops that both systems run, without a stray instruction.
 *
 * Assembly because the compiler's choices would be measured with them.  Each loop ends in sub and
 * jnz; bench_empty is nothing else and is taken off.
 */
	.text
/* void bench_empty(uint32_t rounds) */
	.globl	bench_empty
bench_empty:
1:	sub	$1, %edi
	jnz	1b
	ret

/* void bench_fault(uint32_t rounds): an invalid instruction in each round. */
	.globl	bench_fault
bench_fault:
1:	ud2
	sub	$1, %edi
	jnz	1b
	ret

/* void bench_touch(char *at, uint32_t pages): store 1 into the first word of each page. */
	.globl	bench_touch
bench_touch:
1:	movq	$1, (%rdi)
	add	$4096, %rdi
	sub	$1, %esi
	jnz	1b
	ret

	.section .note.GNU-stack, "", @progbits
