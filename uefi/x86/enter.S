/* SPDX-License-Identifier: MIT */
/*
 * enter.S - from the firmware's page tables to the kernel's.
 *
 * void enter_kernel(uint64_t cr3 [rdi], uint64_t entry [rsi], uint64_t stack [rdx],
 *                   uint64_t boot [rcx]);
 *
 * In assembly because between the new cr3 and the jump nothing but this page and the kernel's
 * memory is mapped: no stack, no data of the loader.  Aligned so that it never crosses a page.
 * Sets EFER.NXE, which the new tables rely on, and clears CR4.PGE, so that no translation of the
 * firmware's survives.
 */
#define MSR_EFER     0xc0000080
#define EFER_NXE_BIT 11
#define CR4_PGE_BIT  7

	.text
	.balign 128
	.globl enter_kernel
	.hidden enter_kernel
	.type enter_kernel, @function
enter_kernel:
	mov	%rcx, %r8
	mov	%rdx, %r9
	mov	$MSR_EFER, %ecx
	rdmsr
	bts	$EFER_NXE_BIT, %eax
	wrmsr
	mov	%cr4, %rax
	btr	$CR4_PGE_BIT, %rax
	mov	%rax, %cr4
	mov	%rdi, %cr3
	mov	%r9, %rsp
	mov	%r8, %rdi
	xor	%ebp, %ebp
	pushq	$0                      /* the end of backtraces: no caller */
	jmp	*%rsi
	.size enter_kernel, . - enter_kernel

	.section .note.GNU-stack, "", @progbits
