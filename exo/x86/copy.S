/* SPDX-License-Identifier: MIT */
/*
 * copy.S - copying between user and kernel memory.
 *
 * Assembly because a fault in it must end it: the page-fault handler goes on at copy_failed if the
 * faulting instruction lies in [copy_begin, copy_end).
 *
 * int copy_user(void *dst, const void *src, uint64_t bytes): 0, or -1 if a fault ended it.
 * int copy_user_32(void *dst, const void *src): the same for 32 bytes.
 */
	.text
	.globl copy_user, copy_user_32, copy_begin, copy_end, copy_failed
copy_user:
	stac
copy_begin:
	sub $32, %rdx
	jb 2f
1:	mov (%rsi), %rax
	mov %rax, (%rdi)
	mov 8(%rsi), %rax
	mov %rax, 8(%rdi)
	mov 16(%rsi), %rax
	mov %rax, 16(%rdi)
	mov 24(%rsi), %rax
	mov %rax, 24(%rdi)
	add $32, %rsi
	add $32, %rdi
	sub $32, %rdx
	jae 1b
2:	add $24, %rdx
	js 5f
6:	mov (%rsi), %rax
	mov %rax, (%rdi)
	add $8, %rsi
	add $8, %rdi
	sub $8, %rdx
	jns 6b
5:	add $8, %rdx
	jz 4f
3:	mov (%rsi), %al
	mov %al, (%rdi)
	inc %rsi
	inc %rdi
	dec %edx
	jnz 3b
4:	clac
	xor %eax, %eax
	ret
copy_user_32:
	stac
	mov (%rsi), %rax
	mov 8(%rsi), %rcx
	mov 16(%rsi), %rdx
	mov 24(%rsi), %rsi
	clac
	mov %rax, (%rdi)
	mov %rcx, 8(%rdi)
	mov %rdx, 16(%rdi)
	mov %rsi, 24(%rdi)
	xor %eax, %eax
	ret
copy_end:
copy_failed:
	clac
	mov $-1, %eax
	ret
