/* SPDX-License-Identifier: MIT */
/*
 * prog_emit.h - x86-64 instructions, as bytes (Intel SDM volume 2).
 *
 * Only what prog_compile.c needs: operands in registers, memory at a register and displacement.
 */
#ifndef EXO_X86_PROG_EMIT_H
#define EXO_X86_PROG_EMIT_H

#include <exo/prog.h>
#include <stdbool.h>

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/* A run of instructions, to be put before what was made already. */
struct emit {
	unsigned n;
	unsigned fails;                 /* jumps to where the program fails: */
	uint8_t  fail[2];               /* behind their displacements */
	uint8_t  byte[256];
};

static inline void emit_8(struct emit *e, unsigned byte) { e->byte[e->n++] = (uint8_t)byte; }
static inline void emit_32(struct emit *e, uint32_t word)
{
	__builtin_memcpy(&e->byte[e->n], &word, sizeof(word));
	e->n += sizeof(word);
}

/* Prefix REX: operands of 64 bits?; the registers of ModRM's fields reg, index and rm (or base). */
static inline void emit_rex(struct emit *e, bool wide, unsigned reg, unsigned index, unsigned rm)
{
	emit_8(e, 0x40u | (unsigned)wide << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | rm >> 3);
}

/* An opcode of one byte or, with 0x0f00, two. */
static inline void emit_opcode(struct emit *e, unsigned opcode)
{
	if (opcode >> 8)
		emit_8(e, opcode >> 8);
	emit_8(e, opcode & 0xff);
}

/* Two registers, or one and the opcode's extension in `reg`. */
static inline void emit_rr(struct emit *e, bool wide, unsigned opcode, unsigned reg, unsigned rm)
{
	emit_rex(e, wide, reg, 0, rm);
	emit_opcode(e, opcode);
	emit_8(e, 0xc0u | (reg & 7) << 3 | (rm & 7));
}

/* A register, or extension, and memory at base + disp. */
static inline void emit_rm(struct emit *e, bool wide, unsigned opcode, unsigned reg, unsigned base,
                           int32_t disp)
{
	emit_rex(e, wide, reg, 0, base);
	emit_opcode(e, opcode);
	emit_8(e, 0x80u | (reg & 7) << 3 | (base & 7));
	if ((base & 7) == RSP)
		emit_8(e, 0x24);
	emit_32(e, (uint32_t)disp);
}

/* A register and memory at base + index + disp, disp of 8 bits; index is not RSP. */
static inline void emit_rmx(struct emit *e, bool wide, unsigned opcode, unsigned reg, unsigned base,
                            unsigned index, int disp)
{
	emit_rex(e, wide, reg, index, base);
	emit_opcode(e, opcode);
	emit_8(e, 0x44u | (reg & 7) << 3);
	emit_8(e, (index & 7) << 3 | (base & 7));
	emit_8(e, (unsigned)disp & 0xff);
}

static inline void emit_mov(struct emit *e, bool wide, unsigned to, unsigned from)
{
	emit_rr(e, wide, 0x89, from, to);
}

/* A number of 32 bits, zero-extended or, if wide, sign-extended. */
static inline void emit_mov_imm(struct emit *e, bool wide, unsigned to, uint32_t imm)
{
	emit_rr(e, wide, 0xc7, 0, to);
	emit_32(e, imm);
}

static inline void emit_zero(struct emit *e, unsigned reg) { emit_rr(e, false, 0x31, reg, reg); }

/* A short jump forward whose end is not known yet: where its displacement stands. */
static inline unsigned emit_short(struct emit *e, unsigned opcode)
{
	emit_8(e, opcode);
	emit_8(e, 0);
	return e->n - 1;
}
static inline void emit_here(struct emit *e, unsigned at)
{
	e->byte[at] = (uint8_t)(e->n - at - 1);
}

/* A jump, of this opcode, to where the program fails. */
static inline void emit_fail(struct emit *e, unsigned opcode)
{
	emit_opcode(e, opcode);
	emit_32(e, 0);
	e->fail[e->fails++] = (uint8_t)e->n;
}

enum { SHORT_JMP = 0xeb, SHORT_JB = 0x72, SHORT_JE = 0x74, NEAR_JMP = 0xe9, NEAR_JA = 0x0f87,
       NEAR_JAE = 0x0f83 };

#endif
