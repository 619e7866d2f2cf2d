/* SPDX-License-Identifier: MIT */
/*
 * gate_entry.S - the two sides of a gate call.
 *
 * Assembly because a gate call passes eight words in registers that C does not use for arguments
 * (exo/gate.h): rdx r8 r9 r10 r12 r13 r14 r15.
 */
#include "offsets.h"

#define EXO_CALL(number, name, args, text)
#define EXO_SWITCH(number, name, args, text) .set CALL_##name, number;
#include <exo/syscalls.def>

.macro WORDS_LOAD base
	mov	0(\base), %rdx
	mov	8(\base), %r8
	mov	16(\base), %r9
	mov	24(\base), %r10
	mov	32(\base), %r12
	mov	40(\base), %r13
	mov	48(\base), %r14
	mov	56(\base), %r15
.endm

.macro WORDS_STORE base
	mov	%rdx, 0(\base)
	mov	%r8,  8(\base)
	mov	%r9,  16(\base)
	mov	%r10, 24(\base)
	mov	%r12, 32(\base)
	mov	%r13, 40(\base)
	mov	%r14, 48(\base)
	mov	%r15, 56(\base)
.endm

	.text
/*
 * int64_t exos_gate_call_once(exo_slot gate, struct exos_gate_message *message)
 * rbx survives the call and holds the message.
 */
	.globl	exos_gate_call_once
exos_gate_call_once:
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsi, %rbx
	WORDS_LOAD %rbx
	mov	MSG_CAP(%rbx), %rsi
	mov	$CALL_gate_call, %eax
	syscall
	test	%rax, %rax
	js	1f                      /* refused: the message stays as it was */
	WORDS_STORE %rbx
	mov	%rsi, MSG_CAP(%rbx)
1:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	ret

/*
 * The entry behind each gate of exos_gate_make: rdi = badge, rsi = claim received, the words; rsp
 * = the gate stack's top, a multiple of 16.  Calls int64_t exos_gate_dispatch(uint32_t badge,
 * struct exos_gate_message *message). Should the claim not go over, the answer goes without it;
 * should nobody wait for the answer any more, the kernel keeps this environment as after any
 * return.
 */
	.globl	exos_gate_entry
exos_gate_entry:
	sub	$MSG_BYTES, %rsp
	WORDS_STORE %rsp
	mov	%rsi, MSG_CAP(%rsp)
	mov	%rsp, %rsi
	call	exos_gate_dispatch
	mov	%rax, %rbx
	mov	%rbx, %rdi
	WORDS_LOAD %rsp
	mov	MSG_CAP(%rsp), %rsi
	mov	$CALL_gate_return, %eax
	syscall
	mov	%rbx, %rdi
	WORDS_LOAD %rsp
	xor	%esi, %esi
	mov	$CALL_gate_return, %eax
	syscall
	ud2

	.section .note.GNU-stack, "", @progbits
