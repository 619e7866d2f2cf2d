/* SPDX-License-Identifier: MIT */
/*
 * start.S - the first instructions of a program.
 *
 * Entry: rdi = environment page, no stack, upcalls off.  Assembly because there is no stack.  The
 * set-up runs on the upcall stack, which nobody needs yet; from the moment upcalls are on it is
 * the upcalls'.
 */
#include "offsets.h"

	.section .text.start, "ax"
	.globl _start
_start:
	lea	exos_upcall_stack_end(%rip), %rsp
	xor	%ebp, %ebp
	mov	%rdi, %rbx
	call	exos_setup              /* struct exo_env_page * -> top of the first stack */
	movl	$0, PAGE_UPCALLS_OFF(%rbx)
	mov	%rax, %rsp
	xor	%ebp, %ebp
	call	exos_main_run           /* does not return */
	ud2

	.section .note.GNU-stack, "", @progbits
