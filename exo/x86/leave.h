/* SPDX-License-Identifier: MIT */
/*
 * leave.h - what the ways into the kernel and out of it have in common, for assembly.
 *
 * GS is the CPU's own from swapgs to swapgs.
 */
#ifndef EXO_X86_LEAVE_H
#define EXO_X86_LEAVE_H

#include "x86/offsets.h"

	/* Argument registers that C may have left something in. */
	.macro CLEAR_SCRATCH
	xor %edi, %edi
	xor %esi, %esi
	xor %edx, %edx
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	.endm

	/* Ways in and out that x86/latency.c leads round by its own, where that is asked for. */
	.macro LATENCY_SITE to
	.pushsection .rodata.latency, "a"
	.quad 9f, \to
	.popsection
9:
	.endm
	.macro LEAVE_SYSRET
	LATENCY_SITE latency_sysret
	swapgs
	sysretq
	.endm
	.macro LEAVE_IRET
	LATENCY_SITE latency_iret
	swapgs
	add $16, %rsp
	iretq
	.endm

	/*
	 * The registers that a system call preserves, but for r12 to r15, into the context of its
	 * caller, which rsp points to then; rcx, which has been the caller's rip, is lost.
	 */
	.macro SAVE_CALLER
	mov %gs:CPU_CTX, %rsp
	mov %rcx, CTX_RIP(%rsp)
	mov %r11, CTX_RFLAGS(%rsp)
	mov %rbx, CTX_RBX(%rsp)
	mov %rbp, CTX_RBP(%rsp)
	mov %gs:CPU_USER_RSP, %rcx
	mov %rcx, CTX_RSP(%rsp)
	.endm
	.macro SAVE_CALLER_WORDS
	mov %r12, CTX_R12(%rsp)
	mov %r13, CTX_R13(%rsp)
	mov %r14, CTX_R14(%rsp)
	mov %r15, CTX_R15(%rsp)
	.endm

#endif
