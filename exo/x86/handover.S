/* SPDX-License-Identifier: MIT */
/*
 * handover.S - gate calls, their returns and yields, by the shortest way.
 *
 * Assembly because the words of a gate call stay where they are, and because the base of the
 * program's GS is exchanged behind the last swapgs.  These ways do what gate.c and turns.c do, for
 * the common case: a claim that was found before (known.h), nothing passed, no vector state, no
 * alarm.  Whatever else is found, before anything was changed, goes there.
 *
 * Entry, from syscall_entry: rdi and rsi and the words as the program has them, rcx its rip, r11
 * its rflags; rsp is nobody's, its own is in CPU_USER_RSP.  There is no stack here, and no need of
 * one: interrupts are off, and what comes all the same has a stack of its own.
 *
 * Invariant: an environment's state lets another CPU take it only after its registers, the bases
 * among them, are saved.
 */
#include "x86/handover.h"

	.text

/* rdi = gate, rsi = claim to pass or 0; the words rdx r8 r9 r10 r12 to r15 go over as they are. */
	.balign 64
	.globl gate_call_entry
gate_call_entry:
	SAVE_CALLER
	mov %gs:CPU_ENV, %rbp
	FIND_KNOWN KNOWN_GATE, %r11, %rbx, gate_call_any
	NEED_PLAIN %rsi, gate_call_any
	mov ENV_DEPTH(%rbp), %ebx
	cmp $(DEPTH_MAX - 1), %ebx
	ja gate_call_any
	mov $STATE_BLOCKED, %eax
	mov $STATE_RUNNING, %esp
	lock cmpxchg %esp, ENV_STATE(%r11)
	jne gate_call_any
	/* The callee is ours. */
	inc %ebx
	mov %ebx, ENV_DEPTH(%r11)
	lea (ENV_CTX + ENV_CTX_BYTES)(%r11), %rax
	mov %rax, ENV_NOW(%r11)
	mov %rax, %gs:CPU_CTX
	mov %rbp, ENV_CALLER(%r11)
	mov %r11, ENV_CALLEE(%rbp)
	movl $0, ENV_CUT(%rbp)
	SWAP_FS %rbp, %r11
	mov ENV_PAGE(%r11), %rbx
	TAKE %r11, %rbx
	mov PAGE_GATE_RSP(%rbx), %rsp
	LOAD_SPACE %r11
	mov KNOWN_OF(KNOWN_GATE, BADGE)(%rbp,%rcx,4), %edi
	mov KNOWN_OF(KNOWN_GATE, HI)(%rbp,%rcx,8), %rcx
	SWAP_GS %rbp, %r11, gate_call
	movl $STATE_CALLING, ENV_STATE(%rbp)
	mov $RFLAGS_USER, %r11d
	xor %eax, %eax
	xor %ebx, %ebx
	xor %ebp, %ebp
	sysretq

/*
 * rdi = result, rsi = claim to pass or 0, and words.  The caller is moved to PARTING first, as
 * whoever ends its call by other means does: it may be in another call by now.
 */
	.balign 64
	.globl gate_return_entry
gate_return_entry:
	mov %gs:CPU_ENV, %rsp
	mov %gs:CPU_PAGE, %rax
	mov PAGE_ALARM(%rax), %rax
	or ENV_ALARM_TSC(%rsp), %rax
	or ENV_WAIT_UNTIL(%rsp), %rax
	or %rsi, %rax
	or %gs:CPU_FANCY, %rax
	jnz gate_return_any
	xchg %rsi, ENV_CALLER(%rsp)
	test %rsi, %rsi
	jz gate_return_any
	mov %rbp, %gs:CPU_SCRATCH
	mov $STATE_CALLING, %eax
	mov $STATE_PARTING, %ebp
	lock cmpxchg %ebp, ENV_STATE(%rsi)
	jne gate_return_parted
	cmp %rsp, ENV_CALLEE(%rsi)
	jne gate_return_astray
	/* The caller is ours. */
	movl $STATE_RUNNING, ENV_STATE(%rsi)
	movq $0, ENV_CALLEE(%rsi)
	movl $0, ENV_CUT(%rsi)
	SWAP_FS %rsp, %rsi
	mov ENV_PAGE(%rsi), %rbx
	TAKE %rsi, %rbx
	mov ENV_NOW(%rsi), %rbx
	mov %rbx, %gs:CPU_CTX
	LOAD_SPACE %rsi
	/* The callee goes to where it waits. */
	lea ENV_CTX(%rsp), %rax
	mov %rax, ENV_NOW(%rsp)
	movl $0, ENV_DEPTH(%rsp)
	movb $RESUMES_WAIT, ENV_RESUME(%rsp)
	mov CTX_RIP(%rbx), %rcx
	mov CTX_RFLAGS(%rbx), %r11
	mov CTX_RBP(%rbx), %rbp
	SWAP_GS %rsp, %rsi, gate_return
	mov $STATE_BLOCKED, %eax
	xchg %eax, ENV_STATE(%rsp)
	/* Events that came meanwhile, for it or for the caller. */
	mov ENV_EVENT_HEAD(%rsp), %eax
	cmp ENV_WAIT_SEEN(%rsp), %eax
	jne gate_return_late
	cmpb $0, ENV_ATTENTION(%rsi)
	jne gate_return_late
	mov %rdi, %rax
	mov CTX_RSP(%rbx), %rsp
	mov CTX_RBX(%rbx), %rbx
	xor %edi, %edi
	xor %esi, %esi
	sysretq

/* Its call was just ended, or is being ended: gate.c looks. */
gate_return_parted:
	mov %rsi, ENV_CALLER(%rsp)
	mov %gs:CPU_SCRATCH, %rbp
	xor %esi, %esi
	jmp gate_return_any

/* It was ended, and the caller is in another call. */
gate_return_astray:
	movl $STATE_CALLING, ENV_STATE(%rsi)
	mov %gs:CPU_SCRATCH, %rbp
	xor %esi, %esi
	jmp gate_return_any

gate_return_late:
	swapgs
	mov %rsp, %rax
	mov %gs:CPU_KERNEL_RSP, %rsp
	mov %rdi, %gs:CPU_GATE_RDI
	movq $0, %gs:CPU_GATE_RSI
	push %rdx
	push %r8
	push %r9
	push %r10
	mov %rax, %rdi
	call gate_returned
	pop %r10
	pop %r9
	pop %r8
	pop %rdx
	jmp gate_return_leave

/* rdi = the ENV or GATE claim of who is to run, or 0. */
	.balign 64
	.globl yield_entry
yield_entry:
	SAVE_CALLER
	SAVE_CALLER_WORDS
	movq $0, CTX_RESULT(%rsp)
	mov %gs:CPU_ENV, %rbp
	FIND_KNOWN KNOWN_YIELD, %rsi, %rdx, yield_any
	mov $STATE_READY, %eax
	mov $STATE_RUNNING, %ecx
	lock cmpxchg %ecx, ENV_STATE(%rsi)
	jne yield_any
	/* It is ours.  What it goes on with is known only now. */
	mov %gs:CPU_PAGE, %rax
	movl $0, PAGE_OWED(%rax)
	movb $RESUMES_CALL, ENV_RESUME(%rbp)
	cmpw $RESUMES_CALL, ENV_RESUME(%rsi)    /* and no attention */
	jne yield_taken
	mov ENV_PAGE(%rsi), %rdx
	mov PAGE_ALARM(%rdx), %rax
	xor ENV_ALARM_TSC(%rsi), %rax
	or %gs:CPU_FANCY, %rax
	jnz yield_taken
	SWAP_FS %rbp, %rsi
	TAKE_TURN %rsi, %rdx
	mov ENV_NOW(%rsi), %rdi
	mov %rdi, %gs:CPU_CTX
	LOAD_SPACE %rsi
	mov CTX_RIP(%rdi), %rcx
	mov CTX_RFLAGS(%rdi), %r11
	mov CTX_RSP(%rdi), %rsp
	mov CTX_RBX(%rdi), %rbx
	mov CTX_R12(%rdi), %r12
	mov CTX_R13(%rdi), %r13
	mov CTX_R14(%rdi), %r14
	mov CTX_R15(%rdi), %r15
	SWAP_GS %rbp, %rsi, yield
	movl $STATE_READY, ENV_STATE(%rbp)
	mov CTX_RBP(%rdi), %rbp
	mov CTX_RESULT(%rdi), %rax
	CLEAR_SCRATCH
	sysretq

yield_any:
	mov %gs:CPU_KERNEL_RSP, %rsp
	mov %rdi, %rsi
	mov %rbp, %rdi
	call sys_env_yield
	jmp switch_none

/* rsi is RUNNING, and goes on with an upcall, or after an alarm was set, or has vector state ... */
yield_taken:
	mov %gs:CPU_KERNEL_RSP, %rsp
	mov %rbp, %rdi
	call yield_to
	ud2
