/* SPDX-License-Identifier: MIT */
/*
 * notify.S - a post and a wait in one, by the shortest way: the CPU goes over to who was posted to.
 *
 * Assembly for the reasons of handover.S, and on its terms.  What is done here is what turns.c does
 * for a notify and a wait, in this order: the entry is on the ring before the other runs, and the
 * caller counts as blocked before the ring is looked at once more.
 *
 * Invariant: who runs next is the first in the vector, from the present slot on, that can run; here
 * only where that is plain, as all slots up to the other's own are the caller's or nobody's.
 */
#include "x86/handover.h"

	.text

/* rdi = doorbell, rsi = posts seen, rdx = deadline or 0 */
	.balign 64
	.globl notify_wait_entry
notify_wait_entry:
	SAVE_CALLER
	SAVE_CALLER_WORDS
	mov %gs:CPU_ENV, %rbp
	FIND_KNOWN KNOWN_BELL, %rbx, %r11, notify_wait_any
	mov KNOWN_OF(KNOWN_BELL, HI)(%rbp,%rcx,8), %r12
	NEED_PLAIN %rdx, notify_wait_any
	cmpl $0, ENV_DEPTH(%rbp)
	jne notify_wait_any
	cmp %esi, ENV_EVENT_HEAD(%rbp)
	jne notify_wait_any

	mov %gs:CPU_VECTOR, %r8
	mov %gs:CPU_SLOT, %ecx
	lea (%rcx,%rcx,2), %ecx         /* a slot has three words */
	mov ENV_PFN(%rbp), %r9
	mov ENV_PFN(%rbx), %r10
	mov $VECTOR_SLOTS, %r13d
1:	mov (%r8,%rcx,8), %rax
	cmp %r10, %rax
	je 3f
	cmp %r9, %rax
	je 2f
	test %rax, %rax
	jnz notify_wait_any
2:	dec %r13d
	jz notify_wait_any
	add $3, %ecx
	cmp $(3 * VECTOR_SLOTS), %ecx
	jne 1b
	xor %ecx, %ecx
	jmp 1b

3:	mov ENV_PAGE(%rbx), %r11
	mov $1, %eax
	lock xadd %eax, (PAGE_EVENT_COUNT - 4)(%r11,%r12,4)
	test %eax, %eax
	jnz notify_wait_counted
	mov $STATE_BLOCKED, %eax
	mov $STATE_RUNNING, %ecx
	lock cmpxchg %ecx, ENV_STATE(%rbx)
	jne notify_wait_post
	/* It is ours. */
	mov $1, %eax
	xchg %eax, ENV_RING_LOCK(%rbx)
	test %eax, %eax
	jnz notify_wait_ring
	mov ENV_EVENT_HEAD(%rbx), %r9d
	movzbl %r9b, %ecx               /* as many places as entries */
	dec %r12d
	mov %r12w, PAGE_EVENT_RING(%r11,%rcx,2)
	inc %r9d
	mov %r9d, PAGE_EVENT_HEAD(%r11)
	mov %r9d, ENV_EVENT_HEAD(%rbx)
	movl $0, ENV_RING_LOCK(%rbx)
	/* What it goes on with is known only now: its wait, without a deadline, and no upcall. */
	mov PAGE_ALARM(%r11), %rax
	xor ENV_ALARM_TSC(%rbx), %rax
	or ENV_WAIT_LINK(%rbx), %rax
	jnz notify_wait_taken
	cmpw $RESUMES_WAIT, ENV_RESUME(%rbx)
	jne notify_wait_taken

	movb $RESUMES_WAIT, ENV_RESUME(%rbp)
	mov %esi, ENV_WAIT_SEEN(%rbp)
	movq $0, ENV_WAIT_UNTIL(%rbp)
	mov %r10, VECTOR_CHARGED(%r8)
	mov %r10, VECTOR_RUNNING(%r8)
	SWAP_FS %rbp, %rbx
	TAKE_TURN %rbx, %r11
	cmp $VECTOR_SLOTS, %r13d
	je 4f
	mov %gs:CPU_STATS, %rax
	incq STATS_LENDS(%rax)
4:	LOAD_SPACE %rbx
	mov ENV_NOW(%rbx), %rdi
	mov %rdi, %gs:CPU_CTX
	mov CTX_RIP(%rdi), %rcx
	mov CTX_RFLAGS(%rdi), %r11
	mov CTX_R12(%rdi), %r12
	mov CTX_R13(%rdi), %r13
	mov CTX_R14(%rdi), %r14
	mov CTX_R15(%rdi), %r15
	SWAP_GS %rbp, %rbx, notify_wait
	mov $STATE_BLOCKED, %eax
	xchg %eax, ENV_STATE(%rbp)
	cmp %esi, ENV_EVENT_HEAD(%rbp)
	jne notify_wait_late
	mov CTX_RSP(%rdi), %rsp
	mov CTX_RBX(%rdi), %rbx
	mov CTX_RBP(%rdi), %rbp
	mov %r9d, %eax
	CLEAR_SCRATCH
	sysretq

/* Events came for the caller while it blocked. */
notify_wait_late:
	mov %r9, CTX_RESULT(%rdi)
	swapgs
	mov %gs:CPU_KERNEL_RSP, %rsp
	mov %rbp, %rdi
	call notify_waited
	mov %gs:CPU_CTX, %rdi
	jmp enter_call

notify_wait_any:
	mov %gs:CPU_KERNEL_RSP, %rsp
	mov %rdx, %rcx
	mov %rsi, %rdx
	mov %rdi, %rsi
	mov %rbp, %rdi
	call sys_env_notify_wait
	jmp switch_none

/* It has not taken the last post yet: it is not woken by this one. */
notify_wait_counted:
	mov %gs:CPU_KERNEL_RSP, %rsp
	mov %rbp, %rdi
	xor %edx, %edx
	call sys_env_wait
	jmp switch_none

/* It does not wait: the entry is still to be put on its ring. */
notify_wait_post:
	mov %gs:CPU_KERNEL_RSP, %rsp
	mov %rsi, %rcx
	lea -1(%r12), %edx
	mov %rbx, %rsi
	mov %rbp, %rdi
	call notify_then_wait
	jmp switch_none

/* Another CPU puts something on the same ring. */
notify_wait_ring:
	mov %gs:CPU_KERNEL_RSP, %rsp
	lea -1(%r12), %edx
	mov %rsi, %r14
	mov %rbx, %rdi
	mov %edx, %esi
	call notify_put
	mov %r14, %rsi
notify_wait_taken:
	mov %gs:CPU_KERNEL_RSP, %rsp
	mov %rsi, %rdx
	mov %rbx, %rsi
	mov %rbp, %rdi
	call notify_wait_to
	ud2
