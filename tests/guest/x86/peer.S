/* SPDX-License-Identifier: MIT */
/*
 * peer.S - entries of a peer (peer.h).  Assembly because there is no stack at start, and because
 * an upcall begins with live registers that C would overwrite.
 *
 * Offsets: struct exo_env_page (upcalls_off, area) and struct peer_user behind its `user`; peer.c
 * ties them to the structs.
 */
#define UPCALLS_OFF   0x40
#define AREA          0x100
#define AREA_DOUBLE   0x1c0
#define USER          0xa00
#define USER_PEER     (USER + 0x00)
#define USER_STACK    (USER + 0x08)
#define USER_START    (USER + 0x10)
#define USER_HANDLER  (USER + 0x18)
#define USER_DOUBLED  (USER + 0x20)

/* Offsets in struct exo_context. */
#define C_RAX 0x00
#define C_RCX 0x08
#define C_RDX 0x10
#define C_RIP 0x18
#define C_RFLAGS 0x20
#define C_RSP 0x28
#define C_RBX 0x48
#define C_RBP 0x50
#define C_RSI 0x58
#define C_RDI 0x60
#define C_R8  0x68
#define C_R9  0x70
#define C_R10 0x78
#define C_R11 0x80
#define C_R12 0x88
#define C_R13 0x90
#define C_R14 0x98
#define C_R15 0xa0

	.text
	.globl	peer_entry, peer_upcall, peer_double, peer_window_lo, peer_window_hi
	.globl	peer_quit, peer_sleep
	.globl	peer_registers, peer_spin_lo, peer_spin, peer_spin_hi, peer_gate

/* rdi = environment page, no stack, upcalls off: run start(peer), then exit. */
peer_entry:
	movq	USER_STACK(%rdi), %rsp
	movq	%rdi, %rbx
	movq	USER_START(%rbx), %rax
	movq	USER_PEER(%rbx), %rdi
	xorl	%ebp, %ebp
	movl	$0, UPCALLS_OFF(%rbx)
	callq	*%rax
	movl	$0x4024, %eax
	syscall
	ud2

/*
 * rsp = upcall stack, whose highest word, at (%rsp), is the page; rax, rcx, rdx are saved, the
 * others live (faults) or saved too (slices): saving them once more is harmless.
 */
peer_upcall:
	cld
	movq	(%rsp), %rax
	cmpq	$0x101, AREA + 0x30(%rax)       /* EXO_TRAP_SLICE, EXO_TRAP_EVENT: all saved */
	je	1f
	cmpq	$0x102, AREA + 0x30(%rax)
	je	1f
	leaq	AREA(%rax), %rcx
	callq	save_live
1:	movq	(%rsp), %rax
	movq	USER_PEER(%rax), %rdi
	leaq	AREA(%rax), %rsi
	movq	USER_HANDLER(%rax), %rdx
	callq	*%rdx
	movq	(%rsp), %rax
	leaq	AREA(%rax), %rcx
	jmp	resume

/* The same at the double entry, with its own area; upcalls stay off only until the resume. */
peer_double:
	cld
	movq	(%rsp), %rax
	leaq	AREA_DOUBLE(%rax), %rcx
	callq	save_live
	movq	(%rsp), %rax
	movq	USER_PEER(%rax), %rdi
	leaq	AREA_DOUBLE(%rax), %rsi
	movq	USER_DOUBLED(%rax), %rdx
	callq	*%rdx
	movq	(%rsp), %rax
	leaq	AREA_DOUBLE(%rax), %rcx
	jmp	resume

/* Save what the kernel left live into the context at rcx. */
save_live:
	movq	%rbx, C_RBX(%rcx)
	movq	%rbp, C_RBP(%rcx)
	movq	%rsi, C_RSI(%rcx)
	movq	%rdi, C_RDI(%rcx)
	movq	%r8, C_R8(%rcx)
	movq	%r9, C_R9(%rcx)
	movq	%r10, C_R10(%rcx)
	movq	%r11, C_R11(%rcx)
	movq	%r12, C_R12(%rcx)
	movq	%r13, C_R13(%rcx)
	movq	%r14, C_R14(%rcx)
	movq	%r15, C_R15(%rcx)
	retq

/*
 * Resume the context at rcx of the page at rax: flags, rax and rip go over the interrupted stack
 * below its red zone, so that popfq comes last but for instructions that leave flags alone.
 */
resume:
	movq	C_RBX(%rcx), %rbx
	movq	C_RBP(%rcx), %rbp
	movq	C_RSI(%rcx), %rsi
	movq	C_RDI(%rcx), %rdi
	movq	C_R8(%rcx), %r8
	movq	C_R9(%rcx), %r9
	movq	C_R10(%rcx), %r10
	movq	C_R11(%rcx), %r11
	movq	C_R12(%rcx), %r12
	movq	C_R13(%rcx), %r13
	movq	C_R14(%rcx), %r14
	movq	C_R15(%rcx), %r15
	movq	C_RSP(%rcx), %rdx
	leaq	-160(%rdx), %rsp                /* rflags, rax, rdx, rip; then ret $128 */
	movq	C_RFLAGS(%rcx), %rdx
	movq	%rdx, 0(%rsp)
	movq	C_RAX(%rcx), %rdx
	movq	%rdx, 8(%rsp)
	movq	C_RDX(%rcx), %rdx
	movq	%rdx, 16(%rsp)
	movq	C_RIP(%rcx), %rdx
	movq	%rdx, 24(%rsp)
	movq	C_RCX(%rcx), %rcx
peer_window_lo:
	movl	$0, UPCALLS_OFF(%rax)
	popfq
	popq	%rax
	popq	%rdx
	retq	$128
peer_window_hi:
	nop


/* An environment that waits until rdi, then exits; it has neither page nor stack. */
peer_sleep:
	movq	%rdi, %rsi
	xorl	%edi, %edi
	movl	$0x4021, %eax
	syscall

/* One that only exits. */
peer_quit:
	movl	$0x4024, %eax
	syscall
	ud2

/*
 * void peer_spin(uint64_t *turns, const uint32_t *stop): count in *turns until *stop, calling and
 * touching nothing else; r8 to r15 carry values that must survive.  rax: 0, or 1 if one did not.
 */
peer_spin_lo:
peer_spin:
	pushq	%rbx
	pushq	%r12
	movl	$0x11110001, %ebx
	movl	$0x11110008, %r8d
	movl	$0x11110009, %r9d
	movl	$0x1111000c, %r12d
	stc
1:	incq	(%rdi)                          /* leaves the carry flag alone */
	pause
	jnc	2f
	movl	(%rsi), %eax
	bt	$0, %eax                        /* carry: bit 0 of *stop */
	jc	3f
	stc
	jmp	1b
2:	movl	$1, %eax
	jmp	4f
3:	xorl	%eax, %eax
	cmpl	$0x11110001, %ebx
	jne	2b
	cmpl	$0x11110008, %r8d
	jne	2b
	cmpl	$0x11110009, %r9d
	jne	2b
	cmpl	$0x1111000c, %r12d
	jne	2b
4:	popq	%r12
	popq	%rbx
	retq
peer_spin_hi:
	nop

/*
 * void peer_registers(uint64_t out[16]): put a value into every register, fault (ud2, two bytes),
 * then write rflags, r15 ... r8, rbp, rdi, rsi, rdx, rcx, rbx, rax to out.
 */
peer_registers:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdi
	movabsq	$0xa000000000000000, %rax
	movabsq	$0xa000000000000001, %rbx
	movabsq	$0xa000000000000002, %rcx
	movabsq	$0xa000000000000003, %rdx
	movabsq	$0xa000000000000004, %rsi
	movabsq	$0xa000000000000005, %rdi
	movabsq	$0xa000000000000006, %rbp
	movabsq	$0xa000000000000008, %r8
	movabsq	$0xa000000000000009, %r9
	movabsq	$0xa00000000000000a, %r10
	movabsq	$0xa00000000000000b, %r11
	movabsq	$0xa00000000000000c, %r12
	movabsq	$0xa00000000000000d, %r13
	movabsq	$0xa00000000000000e, %r14
	movabsq	$0xa00000000000000f, %r15
	stc
	std
	ud2
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
	cld
	movq	128(%rsp), %rdi
	movl	$16, %ecx
	movq	%rsp, %rsi
	rep movsq
	addq	$136, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	retq

/*
 * Gate entry of a peer: every register as it came goes on the stack as struct peer_gate_frame
 * (peer.h), then the function whose address stands at gate_rsp (where the stack begins) gets it.
 * Its words, result and claim go back.
 */
peer_gate:
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%r10
	pushq	%r9
	pushq	%r8
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r11
	pushq	%rcx
	pushq	%rbp
	pushq	%rbx
	pushq	%rax
	subq	$24, %rsp
	movq	%xmm0, 0(%rsp)
	movq	%xmm15, 8(%rsp)
	pushfq
	popq	16(%rsp)
	cld
	movq	%rsp, %rdi
	callq	*144(%rsp)
	addq	$64, %rsp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%r8
	popq	%r9
	popq	%r10
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	movl	$0x4023, %eax
	syscall
	ud2

	.section .note.GNU-stack, "", @progbits
