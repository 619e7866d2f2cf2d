/* SPDX-License-Identifier: MIT */
/*
 * payload.S - the boot archive inside exo.efi.  In assembly for .incbin.
 *
 * It begins on a page, and is data that may be written: the kernel's image runs where it stands.
 */
	.data
	.balign 4096
	.globl payload_start, payload_end
	.hidden payload_start, payload_end
payload_start:
	.incbin "archive.bin"
payload_end:

	.section .note.GNU-stack, "", @progbits
