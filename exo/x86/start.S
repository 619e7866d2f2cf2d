/* SPDX-License-Identifier: MIT */
/*
 * start.S - the first instructions of the kernel, and of each further CPU.
 *
 * Assembly because there is no C environment yet.  The loader enters at kernel_start with rdi =
 * boot information, its own stack and tables.  The image begins with a header that tells the loader
 * its parts' rights (boot.h, kernel.ld).
 */
	.section .head, "a"
	.quad 0x6c6e72656b6f7865
	.quad kernel_start
	.quad text_end
	.quad rodata_end
	.quad image_end

	.text
	.globl kernel_start
kernel_start:
	cli
	cld
	xor %ebp, %ebp
	call kernel_main
	ud2

/*
 * A further CPU starts in real mode at a page below 1 MiB to which this code was copied; ap_data
 * lies at its end.  It goes through protected mode to 64-bit mode with the kernel's tables, in
 * which that page is mapped one to one for as long as it takes.
 */
	.section .rodata
	.balign 16
	.globl ap_code, ap_code_end, ap_data
	.code16
ap_code:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	movzwl %ax, %ebx
	shl $4, %ebx
	lgdtl ap_gdt_pointer - ap_code
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl *(ap_far32 - ap_code)
	.code32
ap_32:
	mov $0x10, %ax
	mov %ax, %ds
	mov %ax, %ss
	mov (ap_data - ap_code)(%ebx), %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $0x20, %eax
	mov %eax, %cr4
	mov $0xc0000080, %ecx
	rdmsr
	or $0x901, %eax
	wrmsr
	mov %cr0, %eax
	or $0x80010001, %eax
	mov %eax, %cr0
	ljmpl *(ap_far64 - ap_code)(%ebx)
	.code64
ap_64:
	mov (ap_data - ap_code + 8)(%rbx), %rsp
	mov (ap_data - ap_code + 16)(%rbx), %rdi
	mov (ap_data - ap_code + 24)(%rbx), %rax
	xor %ebp, %ebp
	call *%rax
	ud2

	.balign 8
	.globl ap_far32, ap_far64, ap_gdt_pointer, ap_gdt, ap_32, ap_64
ap_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00af9b000000ffff
ap_gdt_pointer:
	.word 31
	.long 0
	.balign 8
ap_far32:
	.long 0
	.word 0x08
	.balign 8
ap_far64:
	.long 0
	.word 0x18
	.balign 8
ap_data:
	.quad 0, 0, 0, 0
ap_code_end:
