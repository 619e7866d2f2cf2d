/* SPDX-License-Identifier: MIT */
/*
 * handover.h - pieces of the ways by which one environment gives the CPU to another: handover.S,
 * notify.S.
 */
#ifndef EXO_X86_HANDOVER_H
#define EXO_X86_HANDOVER_H

#include "x86/leave.h"

#define KNOWN_OF(use, field) (ENV_KNOWN + (use) * KNOWN_BYTES + KNOWN_##field)
#define KNOWN_GATE  0           /* enum known_use */
#define KNOWN_YIELD 1
#define KNOWN_BELL  2

	/*
	 * rbp = the environment: \to = that which the claim named in rdi leads to, rcx = where it
	 * was found.  rax and \tmp are lost.
	 */
	.macro FIND_KNOWN use, to, tmp, otherwise
	mov %edi, %ecx
	and $KNOWN_MASK, %ecx
	cmp %rdi, KNOWN_OF(\use, NAME)(%rbp,%rcx,8)
	jne \otherwise
	mov KNOWN_OF(\use, GEN)(%rbp,%rcx,8), \tmp
	mov %rdi, %rax
	shr $32, %rax
	cmp %eax, (\tmp)
	jne \otherwise
	mov KNOWN_OF(\use, TO)(%rbp,%rcx,8), \to
	.endm

	/* rbp = the environment: no alarm, no vector state, and \arg is 0; rax is lost. */
	.macro NEED_PLAIN arg, otherwise
	mov %gs:CPU_PAGE, %rax
	mov PAGE_ALARM(%rax), %rax
	or ENV_ALARM_TSC(%rbp), %rax
	or \arg, %rax
	or %gs:CPU_FANCY, %rax
	jnz \otherwise
	.endm

	/* The base of FS belongs to \to now; rax is lost. */
	.macro SWAP_FS from, to
	rdfsbase %rax
	mov %rax, ENV_FS_BASE(\from)
	mov ENV_FS_BASE(\to), %rax
	wrfsbase %rax
	.endm

	/* \to is on this CPU, in the present slot; its page is in \page; rax is lost. */
	.macro TAKE to, page
	mov \to, %gs:CPU_ENV
	mov \page, %gs:CPU_PAGE
	mov %gs:CPU_NUMBER, %rax
	mov %rax, PAGE_CPU(\page)
	mov %eax, ENV_CPU(\to)
	.endm

	/* The same, and it is told that its turn begins. */
	.macro TAKE_TURN to, page
	TAKE \to, \page
	mov %gs:CPU_SLOT_END, %rax
	mov %rax, PAGE_SLICE_END(\page)
	incq PAGE_SLICES(\page)
	mov %gs:CPU_STATS, %rax
	incq STATS_SWITCHES(%rax)
	.endm

	/* The tables of \to's space; rax is lost. */
	.macro LOAD_SPACE to
	mov ENV_SPACE(\to), %rax
	cmp %rax, %gs:CPU_SPACE
	je 8f
	mov %rax, %gs:CPU_SPACE
	shl $12, %rax
	mov %rax, %cr3
	mov %gs:CPU_STATS, %rax
	incq STATS_SPACES(%rax)
8:
	.endm

	/*
	 * The program's GS from here on: no per-CPU data behind it.  The bases that are loaded were
	 * read from the register, or are 0, so the processor takes them.  rax is lost.
	 */
	.macro SWAP_GS from, to, name
	LATENCY_SITE latency_\name
	swapgs
	rdgsbase %rax
	.globl \name\()_left
\name\()_left:
	mov %rax, ENV_GS_BASE(\from)
	mov ENV_GS_BASE(\to), %rax
	wrgsbase %rax
	.endm

#endif
