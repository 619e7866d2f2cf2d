/* SPDX-License-Identifier: MIT */
/*
 * ways.S - ways into and out of the kernel that note how long interrupts were off.
 *
 * Assembly because nothing may be on the stack and all registers are the program's.  Reached only
 * where latency.c has put jumps into entry.S, handover.S and notify.S; each does what stood there,
 * and goes on behind it.  GS is the CPU's own wherever %gs is used.
 */
#include "x86/offsets.h"

	/* rax = time stamp; rdx is lost */
	.macro STAMP
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	.endm

	.macro KEEP
	mov %rax, %gs:CPU_KEPT_RAX
	mov %rdx, %gs:CPU_KEPT_RDX
	.endm

	.macro UNKEEP
	mov %gs:CPU_KEPT_RAX, %rax
	mov %gs:CPU_KEPT_RDX, %rdx
	.endm

	.text

	.globl latency_syscall
latency_syscall:
	clac
	swapgs
	KEEP
	sub $CALL_FIRST, %rax
	cmp $0xff, %rax
	jb 1f
	mov $0xff, %eax                 /* foreign */
1:	add $0x100, %eax
	mov %rax, %gs:CPU_CAUSE
	STAMP
	mov %rax, %gs:CPU_ENTERED
	UNKEEP
	jmp syscall_entry + 6

	/* Faults and interrupts: vector, error, rip, cs, ... on the stack. */
	.macro WAY_IN name
	.globl latency_\name
latency_\name:
	cmpb $USER_CS, 24(%rsp)
	jne 1f
	swapgs
	KEEP
	mov (%rsp), %rax
	mov %rax, %gs:CPU_CAUSE
	STAMP
	mov %rax, %gs:CPU_ENTERED
	UNKEEP
	swapgs
	cmpb $USER_CS, 24(%rsp)
1:	jmp \name\()_entry + 5
	.endm

	WAY_IN fault
	WAY_IN full
	WAY_IN debug

	/* What the way out loads restores the flags. */
	.macro NOTE
	KEEP
	STAMP
	sub %gs:CPU_ENTERED, %rax
	mov %gs:CPU_CAUSE, %rdx
	shl $2, %rdx
	add %gs:CPU_STATS, %rdx
	cmp %eax, STATS_LATENCY(%rdx)
	jae 1f
	mov %eax, STATS_LATENCY(%rdx)
1:	UNKEEP
	.endm

	.globl latency_sysret
latency_sysret:
	NOTE
	swapgs
	sysretq

	.globl latency_iret
latency_iret:
	NOTE
	swapgs
	add $16, %rsp
	iretq

	/* Out of handover.S and notify.S: rax is lost there. */
	.macro WAY_OVER name
	.globl latency_\name
latency_\name:
	NOTE
	swapgs
	rdgsbase %rax
	jmp \name\()_left
	.endm

	WAY_OVER gate_call
	WAY_OVER gate_return
	WAY_OVER yield
	WAY_OVER notify_wait
