/* SPDX-License-Identifier: MIT */
/*
 * bench.S - loops and handlers that must not contain a stray instruction.
 *
 * Assembly because the compiler's choices would be measured with them.  Each loop ends in sub and
 * jnz; bench_empty (loops.S) is nothing else and is taken off.
 */
#include "page.h"

#define EXO_CALL(number, name, args, text) .set CALL_##name, number;
#define EXO_SWITCH(number, name, args, text) .set CALL_##name, number;
#include <exo/syscalls.def>

	.text
/* uint64_t bench_null(uint32_t rounds): the sum of the answers. */
	.globl	bench_null
bench_null:
	push	%rbx
	push	%rbp
	mov	%edi, %ebx
	xor	%ebp, %ebp
1:	mov	$CALL_version, %eax
	syscall
	add	%rax, %rbp
	sub	$1, %ebx
	jnz	1b
	mov	%rbp, %rax
	pop	%rbp
	pop	%rbx
	ret

/*
 * The least handler: counts, steps over the two bytes of ud2, resumes without a kernel call.  rax,
 * rcx and rdx are the handler's at entry; all others are the interrupted code's.
 */
	.globl	bench_fault_entry, bench_fault_lo, bench_fault_hi
bench_fault_entry:
	incq	bench_faults(%rip)
	addq	$2, AREA_RIP
	pushq	AREA_RFLAGS
	mov	AREA_RCX, %rcx
	mov	AREA_RDX, %rdx
bench_fault_lo:
	movl	$0, PAGE_OFF
	popfq
	mov	AREA_RAX, %rax
	mov	AREA_RSP, %rsp
	jmp	*AREA_RIP
bench_fault_hi:

/*
 * uint64_t bench_gate(uint64_t gate, uint32_t rounds): word 0 starts as 0, goes over and comes
 * back one higher in each round; its last value.  Stops early when a call is refused.
 */
	.globl	bench_gate
bench_gate:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rdi, %rbp
	mov	%esi, %ebx
	xor	%edx, %edx
1:	mov	%rbp, %rdi
	xor	%esi, %esi
	mov	$CALL_gate_call, %eax
	syscall
	test	%rax, %rax
	js	2f
	sub	$1, %ebx
	jnz	1b
2:	mov	%rdx, %rax
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* The least service: rdi = badge is the result, rsi = 0, word 0 is one higher. */
	.globl	bench_gate_entry
bench_gate_entry:
	inc	%rdx
	mov	$CALL_gate_return, %eax
	syscall
	ud2

/* Where a trace begins or ends counting (profile.py). */
	.globl	bench_profile_mark
bench_profile_mark:
	ret

	.bss
	.balign	8
	.globl	bench_faults
bench_faults:
	.skip	8

	.section .note.GNU-stack, "", @progbits
