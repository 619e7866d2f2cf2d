/* SPDX-License-Identifier: MIT */
/*
 * svm_enter.S - from the kernel into a guest and back.
 *
 * Assembly because every general register is the guest's in between.  Between clgi and stgi nothing
 * of the machine interrupts; FS, GS and the task register are the guest's from the second vmload
 * to the third, so no per-CPU data is touched there.
 */
#include "x86/offsets.h"

	.text
/*
 * int64_t svm_enter(uint64_t guest_pa, uint64_t host_pa, struct vcpu *v,
 *                   struct exo_vcpu_page *page)
 */
	.globl svm_enter
svm_enter:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	push %rdx
	push %rsi
	push %rcx
	clgi
	sti                             /* the machine's interrupts end the guest's run */
	mov %rsi, %rax
	vmsave %rax
	mov %rdi, %rax
	vmload %rax
	mov %rcx, %rdx
	mov VCPU_RCX(%rdx), %rcx
	mov VCPU_RBX(%rdx), %rbx
	mov VCPU_RBP(%rdx), %rbp
	mov VCPU_RSI(%rdx), %rsi
	mov VCPU_RDI(%rdx), %rdi
	mov VCPU_R8(%rdx), %r8
	mov (VCPU_R8 + 8)(%rdx), %r9
	mov (VCPU_R8 + 16)(%rdx), %r10
	mov (VCPU_R8 + 24)(%rdx), %r11
	mov (VCPU_R8 + 32)(%rdx), %r12
	mov (VCPU_R8 + 40)(%rdx), %r13
	mov (VCPU_R8 + 48)(%rdx), %r14
	mov (VCPU_R8 + 56)(%rdx), %r15
	mov VCPU_RDX(%rdx), %rdx
	vmrun %rax
	vmsave %rax                     /* rax is as it was before vmrun */
	mov 8(%rsp), %rax
	vmload %rax
	cli
	pop %rax
	mov %rcx, VCPU_RCX(%rax)
	mov %rdx, VCPU_RDX(%rax)
	mov %rbx, VCPU_RBX(%rax)
	mov %rbp, VCPU_RBP(%rax)
	mov %rsi, VCPU_RSI(%rax)
	mov %rdi, VCPU_RDI(%rax)
	mov %r8, VCPU_R8(%rax)
	mov %r9, (VCPU_R8 + 8)(%rax)
	mov %r10, (VCPU_R8 + 16)(%rax)
	mov %r11, (VCPU_R8 + 24)(%rax)
	mov %r12, (VCPU_R8 + 32)(%rax)
	mov %r13, (VCPU_R8 + 40)(%rax)
	mov %r14, (VCPU_R8 + 48)(%rax)
	mov %r15, (VCPU_R8 + 56)(%rax)
	stgi
	pop %rdi                        /* host_pa */
	pop %rdi
	call vcpu_left
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
