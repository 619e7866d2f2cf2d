/* SPDX-License-Identifier: MIT */
/*
 * entry.S - every way into the kernel and out of it.
 *
 * Assembly because it runs between two stacks and two sets of registers.  Interrupts are off in the
 * kernel.  The first instruction of each entry is clac.  GS is the CPU's own from swapgs to swapgs.
 * Ways out never carry kernel values in registers.
 */
#include "x86/leave.h"

	.macro PUSH_ALL
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	.endm

	.macro POP_ALL
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	.endm

	/* Back behind the gate call of the context in rsi, but for what the eight words are in. */
	.macro BEHIND_CALL
	mov CTX_RIP(%rsi), %rcx
	mov CTX_RFLAGS(%rsi), %r11
	mov CTX_RSP(%rsi), %rsp
	mov CTX_RBX(%rsi), %rbx
	mov CTX_RBP(%rsi), %rbp
	.endm

	.text

/*
 * syscall: rax = number, arguments rdi rsi rdx r10 r8 r9, rcx = rip, r11 = rflags.
 * Calls that switch take the environment first; for the others call_* in calls.c adds it.
 */
	.globl syscall_entry
	.balign 64
syscall_entry:
	LATENCY_SITE latency_syscall
	clac
	swapgs
	mov %rsp, %gs:CPU_USER_RSP
	mov %gs:CPU_STATS, %rsp
	incq STATS_ENTRIES(%rsp)
	mov %gs:CPU_PAGE, %rsp
	incq PAGE_CALLS(%rsp)
	sub $CALL_FIRST, %rax
	cmp $CALL_COUNT, %rax
	jae not_simple
	mov %gs:CPU_KERNEL_RSP, %rsp
	push %r11
	push %rcx
	mov %r10, %rcx
	call *call_table(,%rax,8)
	pop %rcx
	pop %r11
	cmpb $0, %gs:CPU_RESCHED
	jne chosen_anew
	mov %gs:CPU_USER_RSP, %rsp
	CLEAR_SCRATCH
	LEAVE_SYSRET

/* The call made somebody ready who may come first: the caller goes on behind its call later. */
chosen_anew:
	mov %gs:CPU_CTX, %rdi
	mov %rcx, CTX_RIP(%rdi)
	mov %r11, CTX_RFLAGS(%rdi)
	mov %rax, CTX_RESULT(%rdi)
	mov %gs:CPU_USER_RSP, %rax
	mov %rax, CTX_RSP(%rdi)
	mov %rbx, CTX_RBX(%rdi)
	mov %rbp, CTX_RBP(%rdi)
	mov %r12, CTX_R12(%rdi)
	mov %r13, CTX_R13(%rdi)
	mov %r14, CTX_R14(%rdi)
	mov %r15, CTX_R15(%rdi)
	mov %gs:CPU_ENV, %rdi
	call sched_after_call
	ud2

/* Calls that may switch; those of handover.S take the registers as they are here. */
not_simple:
	cmp $(SWITCH_FIRST + SWITCH_COUNT - CALL_FIRST), %rax
	jae foreign
	jmp *(entry_table - CALL_COUNT * 8)(,%rax,8)

/* The caller's registers go to its context, where it is resumed from. */
switch_any:
	SAVE_CALLER
	SAVE_CALLER_WORDS
	mov %gs:CPU_KERNEL_RSP, %rsp
	mov %rsi, %rdx                  /* none of these takes a third argument */
	mov %rdi, %rsi
	mov %gs:CPU_ENV, %rdi
	call *(switch_table - (SWITCH_FIRST - CALL_FIRST) * 8)(,%rax,8)
	.globl switch_none
switch_none:                            /* it did not switch */
	mov %gs:CPU_CTX, %rdi
	mov %rax, CTX_RESULT(%rdi)
	jmp enter_call

/*
 * Gate calls that are not plain: the words rdx r8 r9 r10 are kept on the stack, r12 to r15 by C.
 * The caller's rip, rsp, rflags, rbx and rbp are in its context.
 */
	.globl gate_call_any
gate_call_any:
	mov %gs:CPU_KERNEL_RSP, %rsp
	push %rdx
	push %r8
	push %r9
	push %r10
	mov %rsi, %rdx
	mov %rdi, %rsi
	mov %gs:CPU_ENV, %rdi
	call gate_call
	pop %r10
	pop %r9
	pop %r8
	pop %rdx
	test %rax, %rax
	jnz gate_error
	mov %gs:CPU_GATE_RIP, %rcx
	mov %gs:CPU_GATE_RSP, %rsp
	mov %gs:CPU_GATE_RDI, %rdi
	mov %gs:CPU_GATE_RSI, %rsi
	mov $RFLAGS_USER, %r11d
	xor %ebx, %ebx
	xor %ebp, %ebp
	LEAVE_SYSRET

	.globl gate_return_any
gate_return_any:
	SAVE_CALLER
	mov %gs:CPU_KERNEL_RSP, %rsp
	push %rdx
	push %r8
	push %r9
	push %r10
	mov %rsi, %rdx
	mov %rdi, %rsi
	mov %gs:CPU_ENV, %rdi
	call gate_return
	pop %r10
	pop %r9
	pop %r8
	pop %rdx
	test %rax, %rax
	jnz gate_error
	/* The caller is the present environment: back behind its call. */
	.globl gate_return_leave
gate_return_leave:
	mov %gs:CPU_CTX, %rsi
	BEHIND_CALL
	mov %gs:CPU_GATE_RDI, %rax
	mov %gs:CPU_GATE_RSI, %rsi
	xor %edi, %edi
	LEAVE_SYSRET

/* No switch was made: the error goes back to who called, its own words still in the registers. */
gate_error:
	mov %gs:CPU_CTX, %rsi
	BEHIND_CALL
	xor %edi, %edi
	xor %esi, %esi
	LEAVE_SYSRET

/* A call number that is not exo's: an upcall, as a fault is. */
foreign:
	add $CALL_FIRST, %rax
	mov %gs:CPU_KERNEL_RSP, %rsp
	push $USER_SS
	push %gs:CPU_USER_RSP
	push %r11
	push $USER_CS
	push %rcx
	push $0
	push $VECTOR_FOREIGN
	PUSH_ALL
	mov %rsp, %rdi
	call trap
	POP_ALL
	LEAVE_IRET

/* void schedule(void): nobody returns from it, so it begins at the stack's top */
	.globl schedule
schedule:
	mov %gs:CPU_KERNEL_RSP, %rsp
	xor %ebp, %ebp
	call schedule_here
	ud2

/* void enter_call(const struct call_context *ctx) */
	.globl enter_call
enter_call:
	mov CTX_RBX(%rdi), %rbx
	mov CTX_RBP(%rdi), %rbp
	mov CTX_R12(%rdi), %r12
	mov CTX_R13(%rdi), %r13
	mov CTX_R14(%rdi), %r14
	mov CTX_R15(%rdi), %r15
	mov CTX_RIP(%rdi), %rcx
	mov CTX_RFLAGS(%rdi), %r11
	mov CTX_RSP(%rdi), %rsp
	mov CTX_RESULT(%rdi), %rax
	CLEAR_SCRATCH
	LEAVE_SYSRET

/* void enter_fresh(uint64_t rip, uint64_t rsp, uint64_t rdi) */
	.globl enter_fresh
enter_fresh:
	mov %rdi, %rcx
	mov %rsi, %rsp
	mov %rdx, %rdi
	mov $RFLAGS_USER, %r11d
	xor %eax, %eax
	xor %ebx, %ebx
	xor %edx, %edx
	xor %esi, %esi
	xor %ebp, %ebp
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d
	LEAVE_SYSRET

/* void enter_regs(const struct regs *r) */
	.globl enter_regs
enter_regs:
	mov %rdi, %rsp
	POP_ALL
	LEAVE_IRET

/*
 * Faults of programs: the least that an upcall needs is saved, everything else stays live.
 * Stack: vector, error, rip, cs, rflags, rsp, ss.
 */
	.balign 64
	.globl fault_entry, full_entry, debug_entry
fault_entry:
	LATENCY_SITE latency_fault
	cmpb $USER_CS, 24(%rsp)
	jne other_entry
	swapgs
	mov %rax, %gs:CPU_SCRATCH
	mov %gs:CPU_PAGE, %rax
	cmpl $0, PAGE_OFF(%rax)
	jne fault_slow
	mov %rcx, (PAGE_AREA + AREA_RCX)(%rax)
	mov 16(%rsp), %rcx
	cmp PAGE_RESUME_LO(%rax), %rcx
	jb 1f
	cmp PAGE_RESUME_HI(%rax), %rcx
	jb fault_slow_rcx
1:	mov %rcx, (PAGE_AREA + AREA_RIP)(%rax)
	mov %rdx, (PAGE_AREA + AREA_RDX)(%rax)
	mov PAGE_FAULT_RIP(%rax), %rcx
	lea -1(%rcx), %rdx
	shr $46, %rdx                   /* what lies higher is checked in C */
	jnz fault_slow_rdx
	mov %rcx, 16(%rsp)
	mov %gs:CPU_SCRATCH, %rcx
	mov %rcx, (PAGE_AREA + AREA_RAX)(%rax)
	mov 32(%rsp), %rcx
	mov %rcx, (PAGE_AREA + AREA_RFLAGS)(%rax)
	mov 40(%rsp), %rcx
	mov %rcx, (PAGE_AREA + AREA_RSP)(%rax)
	mov (%rsp), %rcx
	mov %rcx, (PAGE_AREA + AREA_VECTOR)(%rax)
	mov 8(%rsp), %rcx
	mov %rcx, (PAGE_AREA + AREA_ERROR)(%rax)
	xor %ecx, %ecx
	cmpl $14, (%rsp)                /* cr2 may be of another's fault */
	jne 2f
	mov %cr2, %rcx
2:	mov %rcx, (PAGE_AREA + AREA_CR2)(%rax)
	mov PAGE_UPCALL_RSP(%rax), %rcx
	mov %rcx, 40(%rsp)
	movq $RFLAGS_USER, 32(%rsp)
	movl $1, PAGE_OFF(%rax)
	incq PAGE_FAULTS(%rax)
	mov %gs:CPU_STATS, %rcx
	incq STATS_ENTRIES(%rcx)
	incq STATS_FAULTS(%rcx)
	xor %ecx, %ecx
	xor %eax, %eax
	LEAVE_IRET

fault_slow_rdx:
	mov (PAGE_AREA + AREA_RDX)(%rax), %rdx
fault_slow_rcx:
	mov (PAGE_AREA + AREA_RCX)(%rax), %rcx
fault_slow:
	mov %gs:CPU_SCRATCH, %rax
	jmp full_user

/* Everything else: all registers on the stack, then C. */
full_entry:
	LATENCY_SITE latency_full
	cmpb $USER_CS, 24(%rsp)
	jne other_entry
	swapgs
full_user:
	PUSH_ALL
	mov %gs:CPU_STATS, %rcx
	incq STATS_ENTRIES(%rcx)
	mov %rsp, %rdi
	cld
	call trap
	POP_ALL
	LEAVE_IRET
full_kernel:
	PUSH_ALL
	mov %rsp, %rdi
	cld
	call trap
	POP_ALL
	add $16, %rsp
	iretq

/*
 * Not from user mode, or not what it looks like.  The processor aligns the stack to 16 bytes,
 * pushes five words and for some exceptions an error code; an interrupt that was sent with such a
 * number has none, which the stack's alignment tells.  (What is compared above is then the low byte
 * of rflags, whose bit 5 is never set.)  It gets an error code that no exception has.
 */
other_entry:
	testb $8, %spl
	jz bare_entry
	testb $3, 24(%rsp)
	jz full_kernel
	swapgs
	jmp full_user
bare_entry:
	push (%rsp)
	movq $ERROR_BARE, 8(%rsp)
	jmp other_entry

/*
 * Stacks of their own (NMI, double fault, machine check): GS may be anybody's.  An NMI and a
 * debug trap in the kernel are passed over; the others end in a panic.
 */
alone_entry:
	testb $8, %spl
	jnz 1f
	push (%rsp)
	movq $ERROR_BARE, 8(%rsp)
1:	PUSH_ALL
	mov %rsp, %rdi
	cld
	call trap_alone
	POP_ALL
	add $16, %rsp
	iretq

debug_entry:
	LATENCY_SITE latency_debug
	cmpb $USER_CS, 24(%rsp)
	jne 1f
	swapgs
	jmp full_user
1:	testb $3, 24(%rsp)
	jz alone_entry
	swapgs
	jmp full_user

/*
 * One stub a vector; those for which the processor pushes no error code push 0.  From 16 on C looks
 * whether it is an exception or an interrupt that somebody sent.
 */
	.macro STUB vector
	.balign 16
	clac
	.if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \
		\vector == 21 || \vector == 29 || \vector == 30)
	push $0
	.endif
	push $\vector
	.if \vector == 2 || \vector == 8 || \vector == 18
	jmp alone_entry
	.elseif \vector == 1
	jmp debug_entry
	.elseif \vector < 16 && \vector != 7
	jmp fault_entry
	.else
	jmp full_entry
	.endif
	.endm

	.balign 16
	.globl interrupt_stubs
interrupt_stubs:
	.altmacro
	.set number, 0
	.rept 256
	STUB %number
	.set number, number + 1
	.endr
	.noaltmacro

/* The call tables, from the one list. */
	.section .rodata
	.balign 8
call_table:
#define EXO_CALL(number, name, args, text) .quad call_##name
#include <exo/syscalls.def>
switch_table:
#define EXO_SWITCH(number, name, args, text) .quad sys_##name
#include <exo/syscalls.def>
	.set sys_gate_call, gate_call_any       /* never called by the table */
	.set sys_gate_return, gate_return_any
/* How each begins: what lies between the two kinds is no call. */
entry_table:
	.quad foreign
	.quad yield_entry, switch_any, gate_call_entry, gate_return_entry, switch_any, switch_any
	.quad notify_wait_entry
	.if . - entry_table - (SWITCH_FIRST + SWITCH_COUNT - CALL_FIRST - CALL_COUNT) * 8
	.error "one for each call that may switch"
	.endif
