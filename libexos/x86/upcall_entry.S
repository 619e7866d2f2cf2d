/* SPDX-License-Identifier: MIT */
/*
 * upcall_entry.S - entries the kernel calls, and the way back without a kernel call.
 *
 * Assembly because every register belongs to the interrupted code.  A fault arrives on the upcall
 * stack with rax, rcx, rdx, rip, rflags and rsp in the environment page's area UPCALL and all
 * other registers live; a slice or event arrives with all of them in the area.
 *
 * Two copies are made from one text.  The program's first environment finds its page by a global
 * and jumps through globals; a worker (exos/worker.h) finds it by its FS base, which is the
 * page's address.
 *
 * Invariant: between clearing upcalls_off and the last jump rip lies in the resume window, so that
 * no upcall can overwrite the area meanwhile, and no instruction after popfq changes a flag.
 */
#include "offsets.h"

#define AREA(reg) (PAGE_AREA + CTX_##reg)(%rax)

	/* rax = page.  Save what the kernel left live. */
.macro SAVE_LIVE
	mov	%rbx, AREA(RBX)
	mov	%rbp, AREA(RBP)
	mov	%rsi, AREA(RSI)
	mov	%rdi, AREA(RDI)
	mov	%r8,  AREA(R8)
	mov	%r9,  AREA(R9)
	mov	%r10, AREA(R10)
	mov	%r11, AREA(R11)
	mov	%r12, AREA(R12)
	mov	%r13, AREA(R13)
	mov	%r14, AREA(R14)
	mov	%r15, AREA(R15)
.endm

	/* rax = page.  Restore all but rax, rsp, rip, rflags; rflags on the stack. */
.macro RESTORE
	mov	AREA(RBX), %rbx
	mov	AREA(RBP), %rbp
	mov	AREA(RSI), %rsi
	mov	AREA(RDI), %rdi
	mov	AREA(R8),  %r8
	mov	AREA(R9),  %r9
	mov	AREA(R10), %r10
	mov	AREA(R11), %r11
	mov	AREA(R12), %r12
	mov	AREA(R13), %r13
	mov	AREA(R14), %r14
	mov	AREA(R15), %r15
	mov	AREA(RCX), %rcx
	mov	AREA(RDX), %rdx
	pushq	AREA(RFLAGS)
.endm

	/* The entries: \name_fault, \name_slice, \name_event, \name_double. */
.macro ENTRIES name, page
	.globl	\name\()_fault, \name\()_slice, \name\()_event, \name\()_double
	.balign	16
\name\()_fault:
	mov	\page, %rax
	SAVE_LIVE
	lea	PAGE_AREA(%rax), %rdi
	cld
	call	exos_upcall_fault
	jmp	\name\()_resume
\name\()_slice:
	mov	\page, %rax
	lea	PAGE_AREA(%rax), %rdi
	cld
	call	exos_upcall_slice_begin
	jmp	\name\()_resume
\name\()_event:
	mov	\page, %rax
	lea	PAGE_AREA(%rax), %rdi
	cld
	call	exos_upcall_event_came
	jmp	\name\()_resume
\name\()_double:
	mov	\page, %rax
	lea	PAGE_DOUBLE(%rax), %rdi
	cld
	call	exos_upcall_double
	ud2
.endm

	.text
	ENTRIES	exos_entry, exos_page_first(%rip)

	.globl	exos_entry_resume, exos_window_lo, exos_window_hi
exos_entry_resume:
	mov	exos_page_first(%rip), %rax
	mov	AREA(RIP), %rcx
	mov	%rcx, resume_rip(%rip)
	mov	AREA(RSP), %rcx
	mov	%rcx, resume_rsp(%rip)
	mov	AREA(RAX), %rcx
	mov	%rcx, resume_rax(%rip)
	RESTORE
exos_window_lo:
	movl	$0, PAGE_UPCALLS_OFF(%rax)
	popfq
	mov	resume_rax(%rip), %rax
	mov	resume_rsp(%rip), %rsp
	jmp	*resume_rip(%rip)
exos_window_hi:

	ENTRIES	exos_worker, %fs:PAGE_VA

	.globl	exos_worker_resume, exos_worker_window_lo, exos_worker_window_hi
exos_worker_resume:
	mov	%fs:PAGE_VA, %rax
	RESTORE
exos_worker_window_lo:
	movl	$0, PAGE_UPCALLS_OFF(%rax)
	popfq
	mov	%fs:(PAGE_AREA + CTX_RAX), %rax
	mov	%fs:(PAGE_AREA + CTX_RSP), %rsp
	jmp	*%fs:(PAGE_AREA + CTX_RIP)
exos_worker_window_hi:

/*
 * Entry of a worker: rdi = page, no stack, upcalls off.  Its stack's top is in the library's part
 * of the page.
 */
	.globl	exos_worker_entry
exos_worker_entry:
	mov	PAGE_WORKER_RSP(%rdi), %rsp
	xor	%ebp, %ebp
	movl	$0, PAGE_UPCALLS_OFF(%rdi)
	call	exos_worker_run         /* does not return */
	ud2

/*
 * int exos_context_save(struct exo_context *context): what a C function preserves, rip and rsp as
 * after the return; rax = 1 for the second return.
 */
	.globl	exos_context_save
exos_context_save:
	mov	(%rsp), %rax
	mov	%rax, CTX_RIP(%rdi)
	lea	8(%rsp), %rax
	mov	%rax, CTX_RSP(%rdi)
	movq	$1, CTX_RAX(%rdi)
	pushfq
	popq	CTX_RFLAGS(%rdi)
	mov	%rbx, CTX_RBX(%rdi)
	mov	%rbp, CTX_RBP(%rdi)
	mov	%r12, CTX_R12(%rdi)
	mov	%r13, CTX_R13(%rdi)
	mov	%r14, CTX_R14(%rdi)
	mov	%r15, CTX_R15(%rdi)
	xor	%eax, %eax
	ret

/*
 * void exos_context_load(uint64_t rsp): the area is filled and upcalls are off; leave the present
 * stack for rsp and resume the area.  Does not return.
 */
	.globl	exos_context_load
exos_context_load:
	mov	%rdi, %rsp
	jmp	exos_entry_resume

	.section .bss.unset, "aw", @nobits
	.balign	16
	.globl	exos_upcall_stack_end, exos_double_stack_end
	.skip	16384
exos_upcall_stack_end:
	.skip	8192
exos_double_stack_end:

	.bss
	.balign	16
resume_rip:
	.skip	8
resume_rsp:
	.skip	8
resume_rax:
	.skip	8

	.section .note.GNU-stack, "", @progbits
