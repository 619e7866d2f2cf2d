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

/* void bench_divide(uint32_t rounds): a quotient that does not fit; idiv is 2 bytes. */
	.globl	bench_divide
bench_divide:
	mov	$-0x80000000, %eax
	cltd
	mov	$-1, %ecx
1:	idiv	%ecx
	sub	$1, %edi
	jnz	1b
	ret

/* void bench_privileged(uint32_t rounds): hlt, 1 byte, which is the kernel's. */
	.globl	bench_privileged
bench_privileged:
1:	hlt
	sub	$1, %edi
	jnz	1b
	ret

/* void bench_unaligned(uint32_t rounds): a load that is not aligned, 4 bytes long, with AC set. */
	.globl	bench_unaligned
bench_unaligned:
	pushfq
	orl	$0x40000, (%rsp)
	popfq
1:	mov	-11(%rsp), %ecx
	sub	$1, %edi
	jnz	1b
	pushfq
	andl	$~0x40000, (%rsp)
	popfq
	ret

/*
 * void bench_coprocessor(uint32_t rounds): fwait, 1 byte, while a division by 0 that was not masked
 * is pending.
 */
	.globl	bench_coprocessor
bench_coprocessor:
	fninit
	pushq	$0x37b
	fldcw	(%rsp)
	pop	%rax
	fld1
	fldz
	fdivrp
1:	fwait
	sub	$1, %edi
	jnz	1b
	fninit
	ret

/* void bench_read(const void *at, uint32_t lines): the first word of each 64 bytes. */
	.globl	bench_read
bench_read:
	test	%esi, %esi
	jz	2f
1:	mov	(%rdi), %rax
	add	$64, %rdi
	sub	$1, %esi
	jnz	1b
2:	ret

/* void bench_store(void *at, uint32_t rounds): a store, 2 bytes long, to one word each round. */
	.globl	bench_store
bench_store:
1:	mov	%esi, (%rdi)
	sub	$1, %esi
	jnz	1b
	ret

	.section .note.GNU-stack, "", @progbits
