/* SPDX-License-Identifier: MIT */
/*
 * isa.h - the parts of an instruction's opcode (RFC 9669, sections 3 to 5).
 */
#ifndef EXO_PROG_ISA_H
#define EXO_PROG_ISA_H

#include <exo/prog.h>
#include <stdbool.h>

enum { REG_R0, REG_R1, REG_R2, REG_R10 = 10, REGS = 11 };

/* Classes: opcode bits 2:0. */
enum { CLASS_LD, CLASS_LDX, CLASS_ST, CLASS_STX, CLASS_ALU, CLASS_JMP, CLASS_JMP32, CLASS_ALU64 };

/* Arithmetic and jumps: bit 3 says that the second operand is a register, bits 7:4 which. */
#define OP_REGISTER 0x08
enum { ALU_ADD, ALU_SUB, ALU_MUL, ALU_DIV, ALU_OR, ALU_AND, ALU_LSH, ALU_RSH, ALU_NEG, ALU_MOD,
       ALU_XOR, ALU_MOV, ALU_ARSH, ALU_END };
enum { JMP_A, JMP_EQ, JMP_GT, JMP_GE, JMP_SET, JMP_NE, JMP_SGT, JMP_SGE, JMP_CALL, JMP_EXIT,
       JMP_LT, JMP_LE, JMP_SLT, JMP_SLE };

/* Loads and stores: bits 4:3 are the size, 7:5 the mode. */
enum { SIZE_W, SIZE_H, SIZE_B, SIZE_DW };
enum { MODE_IMM, MODE_ABS, MODE_IND, MODE_MEM, MODE_MEMSX, MODE_ATOMIC = 6 };

#define OPCODE_LDDW 0x18        /* MODE_IMM, SIZE_DW, CLASS_LD */
#define OPCODE_EXIT 0x95

static inline unsigned insn_class(const struct exo_insn *i) { return i->opcode & 7; }
static inline unsigned insn_op(const struct exo_insn *i) { return i->opcode >> 4; }
static inline unsigned insn_mode(const struct exo_insn *i) { return i->opcode >> 5; }
static inline unsigned insn_size(const struct exo_insn *i) { return i->opcode >> 3 & 3; }
static inline unsigned insn_dst(const struct exo_insn *i) { return i->regs & 15; }
static inline unsigned insn_src(const struct exo_insn *i) { return i->regs >> 4; }
static inline bool insn_wide(const struct exo_insn *i)
{
	return insn_class(i) == CLASS_ALU64 || insn_class(i) == CLASS_JMP;
}

/* log2 of the bytes of a load or store. */
static inline unsigned insn_log_bytes(const struct exo_insn *i)
{
	static const uint8_t log_bytes[4] = { [SIZE_B] = 0, [SIZE_H] = 1, [SIZE_W] = 2,
		                              [SIZE_DW] = 3 };

	return log_bytes[insn_size(i)];
}

/* Instructions that a jump, which is one, skips. */
static inline int64_t insn_jump(const struct exo_insn *i)
{
	return insn_class(i) == CLASS_JMP32 && insn_op(i) == JMP_A ? i->imm : i->offset;
}

#endif
