/* SPDX-License-Identifier: MIT */
/*
 * console_proto.h - gate calls of the console service.
 *
 * Word 0 of a call is EXOS_CONSOLE_CALL(op, bytes); words 1 to 7 are 56 bytes of text, byte n at
 * bits 8 * (n % 8) of word 1 + n / 8.  The result is >= 0; EXOS_CONSOLE_REFUSED + n is a refusal
 * (enum below).
 */
#ifndef EXOS_CONSOLE_PROTO_H
#define EXOS_CONSOLE_PROTO_H

#include <stdint.h>

#define EXOS_CONSOLE_TEXT 56u           /* most bytes a call carries */

enum exos_console_op {
	/*
	 * Write `bytes` bytes, whole: no other client's text comes between them.  Answer: bytes.
	 * LF is sent as CR LF.
	 */
	EXOS_CONSOLE_WRITE = 1,
	/*
	 * Take input.  Answer: bytes (0 to 56; 0: none now), text in words 1 to 7, word 0 = bytes
	 * of input lost since the last answer.  Only for the front reader; others get 0.  A byte
	 * is as it came from the line: no echo, no editing.
	 */
	EXOS_CONSOLE_READ,
	/*
	 * Become the front reader; the one before becomes it again when this one leaves or ends.
	 * The call passes a doorbell claim, posted whenever input is there.  Answer: 0.
	 */
	EXOS_CONSOLE_ATTACH,
	/* Leave. Answer: 0. */
	EXOS_CONSOLE_DETACH,
};

#define EXOS_CONSOLE_CALL(op, bytes) ((uint64_t)(bytes) << 8 | (op))
#define EXOS_CONSOLE_OP(word)        ((uint32_t)((word) & 0xff))
#define EXOS_CONSOLE_BYTES(word)     ((uint64_t)(word) >> 8)

/* Refusals: results above every count. */
#define EXOS_CONSOLE_REFUSED 0x1000
enum exos_console_refusal {
	EXOS_CONSOLE_NO_OP = 1,         /* no such operation, or more bytes than a call carries */
	EXOS_CONSOLE_NO_BELL,           /* ATTACH without a doorbell */
	EXOS_CONSOLE_FULL,              /* too many readers wait */
};

#endif
