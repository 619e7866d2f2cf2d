/* SPDX-License-Identifier: MIT */
/*
 * prog.h - making programs for the kernel, instruction by instruction.
 */
#ifndef GUEST_PROG_H
#define GUEST_PROG_H

#include <exo/prog.h>
#include <exos/call.h>

#include "guest.h"

/* Instructions (RFC 9669): d = destination, s = source. */
#define I(op, d, s, off, number) \
	{ .opcode = (op), .regs = (d) | (s) << 4, .offset = (off), .imm = (int32_t)(number) }
#define I_EXIT           I(0x95, 0, 0, 0, 0)
#define I_MOV(d, n)      I(0xb7, d, 0, 0, n)
#define I_COPY(d, s)     I(0xbf, d, s, 0, 0)
#define I_ADD(d, n)      I(0x07, d, 0, 0, n)
#define I_DIVIDE(d, n)   I(0x37, d, 0, 0, n)
#define I_LOAD8(d, s, o) I(0x71, d, s, o, 0)
#define I_LOAD16(d, s, o) I(0x69, d, s, o, 0)
#define I_LOAD32(d, s, o) I(0x61, d, s, o, 0)
#define I_LOAD64(d, s, o) I(0x79, d, s, o, 0)
#define I_STORE64(d, o, s) I(0x7b, d, s, o, 0)
#define I_JNE(d, n, o)   I(0x55, d, 0, o, n)
#define I_JEQ(d, n, o)   I(0x15, d, 0, o, n)

struct guest_prog {
	struct guest_frames frames;
	exo_slot prog;
};

/* An object with room for max instructions, nothing loaded.  0 or -EXO_E_*. */
int guest_prog_make(struct guest_prog *p, uint32_t max);
void guest_prog_end(struct guest_prog *p);

/* Load to the end: 0 or -EXO_E_*. */
int64_t guest_prog_load(exo_slot prog, const struct exo_insn *insn, uint64_t count);

/* Both; 0, a noted failure: it could not be. */
exo_slot guest_prog(struct guest_prog *p, const struct exo_insn *insn, uint32_t count);
#define GUEST_PROG(p, insn) guest_prog(p, insn, sizeof(insn) / sizeof((insn)[0]))

#endif
