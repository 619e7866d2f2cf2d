/* SPDX-License-Identifier: MIT */
/*
 * copy.S - copying between user and kernel memory.
 *
 * Assembly because a fault in it must end it: the page-fault handler goes on at copy_failed if the
 * faulting instruction lies in [copy_begin, copy_end).
 *
 * int copy_user(void *dst, const void *src, uint64_t bytes): 0, or -1 if a fault ended it.
 */
	.text
	.globl copy_user, copy_begin, copy_end, copy_failed
copy_user:
	stac
copy_begin:
	mov %rdx, %rcx
	shr $3, %rcx
	jz 2f
1:	mov (%rsi), %rax
	mov %rax, (%rdi)
	add $8, %rsi
	add $8, %rdi
	dec %rcx
	jnz 1b
2:	and $7, %edx
	jz 4f
3:	mov (%rsi), %al
	mov %al, (%rdi)
	inc %rsi
	inc %rdi
	dec %edx
	jnz 3b
copy_end:
4:	clac
	xor %eax, %eax
	ret
copy_failed:
	clac
	mov $-1, %eax
	ret
