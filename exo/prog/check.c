/* SPDX-License-Identifier: MIT */
/*
 * check.c - is it a program?  Asked once, when it is loaded.
 *
 * Invariant: instructions before c->next are ones that the compiler knows, with all they do not use
 * zero; every jump among them leads forward, to an instruction of the program.  Since the last is
 * an exit, control never leaves it.  What memory it touches is not looked at here.
 */
#include "prog/check.h"

#include "prog/isa.h"

static bool refuse(struct prog_check *c, enum exo_prog_reason reason)
{
	c->reason = reason;
	return false;
}

/* Which fields must be zero, in words of one bit each. */
enum { NO_DST = 1, NO_SRC = 2, NO_OFFSET = 4, NO_IMM = 8 };

static bool unused_zero(struct prog_check *c, const struct exo_insn *i, unsigned fields)
{
	if (((fields & NO_DST) && insn_dst(i)) || ((fields & NO_SRC) && insn_src(i)) ||
	    ((fields & NO_OFFSET) && i->offset) || ((fields & NO_IMM) && i->imm))
		return refuse(c, EXO_PROG_UNUSED);
	return true;
}

static bool alu_check(struct prog_check *c, const struct exo_insn *i, bool wide)
{
	unsigned op = insn_op(i), reg = i->opcode & OP_REGISTER, offset = NO_OFFSET;

	if (op > ALU_END || (op == ALU_NEG && reg) || (op == ALU_END && wide && reg))
		return refuse(c, EXO_PROG_OPCODE);
	if (insn_dst(i) == REG_R10)
		return refuse(c, EXO_PROG_REGISTER);
	if (op == ALU_END)
		return i->imm == 16 || i->imm == 32 || i->imm == 64 ?
		               unused_zero(c, i, NO_SRC | NO_OFFSET) :
		               refuse(c, EXO_PROG_OPCODE);
	if (op == ALU_NEG)
		return unused_zero(c, i, NO_SRC | NO_OFFSET | NO_IMM);
	if ((op == ALU_DIV || op == ALU_MOD) && i->offset == 1)
		offset = 0;
	if (op == ALU_MOV && reg &&
	    (i->offset == 8 || i->offset == 16 || (i->offset == 32 && wide)))
		offset = 0;
	return unused_zero(c, i, offset | (reg ? NO_IMM : NO_SRC));
}

/* A jump from the instruction `next`: note where it leads. */
static bool target_check(struct prog_check *c, const struct exo_insn *i)
{
	int64_t skip = insn_jump(i);

	if (skip < 0)
		return refuse(c, EXO_PROG_BACKWARD);
	if (skip >= (int64_t)c->count - c->next - 1)
		return refuse(c, EXO_PROG_TARGET);
	c->mark[c->next + 1 + skip] = 1;
	return true;
}

static bool jump_check(struct prog_check *c, const struct exo_insn *i)
{
	unsigned op = insn_op(i), reg = i->opcode & OP_REGISTER;

	switch (op) {
	case JMP_A:
		if (reg)
			return refuse(c, EXO_PROG_OPCODE);
		if (!unused_zero(c, i, NO_DST | NO_SRC |
		                       (insn_class(i) == CLASS_JMP32 ? NO_OFFSET : NO_IMM)))
			return false;
		return target_check(c, i);
	case JMP_CALL:
		return refuse(c, insn_class(i) == CLASS_JMP ? EXO_PROG_CALL : EXO_PROG_OPCODE);
	case JMP_EXIT:
		return i->opcode == OPCODE_EXIT ?
		               unused_zero(c, i, NO_DST | NO_SRC | NO_OFFSET | NO_IMM) :
		               refuse(c, EXO_PROG_OPCODE);
	case JMP_SLE + 1:
	case JMP_SLE + 2:
		return refuse(c, EXO_PROG_OPCODE);
	default:
		return unused_zero(c, i, reg ? NO_IMM : NO_SRC) && target_check(c, i);
	}
}

/* A load or store of memory.  Where it goes is known when it runs, unless its base is r10. */
static bool memory_check(struct prog_check *c, const struct exo_insn *i)
{
	unsigned class = insn_class(i), mode = insn_mode(i), size = insn_size(i);
	unsigned base = class == CLASS_LDX ? insn_src(i) : insn_dst(i);

	if (mode == MODE_ATOMIC && class == CLASS_STX)
		return refuse(c, EXO_PROG_ATOMIC);
	if (mode != MODE_MEM && !(mode == MODE_MEMSX && class == CLASS_LDX && size != SIZE_DW))
		return refuse(c, EXO_PROG_OPCODE);
	if (class == CLASS_LDX && insn_dst(i) == REG_R10)
		return refuse(c, EXO_PROG_REGISTER);
	if (base != REG_R10)
		c->sizes |= 1u << insn_log_bytes(i);
	return unused_zero(c, i, class == CLASS_ST ? NO_SRC : NO_IMM);
}

/* The two halves of a 64-bit immediate load. */
static bool wide_check(struct prog_check *c, const struct exo_insn *i)
{
	if (i->opcode != OPCODE_LDDW)
		return refuse(c, insn_mode(i) == MODE_ABS || insn_mode(i) == MODE_IND ?
		                         EXO_PROG_PACKET : EXO_PROG_OPCODE);
	if (insn_src(i))
		return refuse(c, EXO_PROG_MAPREF);
	if (insn_dst(i) == REG_R10)
		return refuse(c, EXO_PROG_REGISTER);
	if (!unused_zero(c, i, NO_OFFSET))
		return false;
	if (c->count - c->next < 2)
		return refuse(c, EXO_PROG_HALF);
	if (i[1].opcode)
		return refuse(c, EXO_PROG_HALF);
	if (!unused_zero(c, i + 1, NO_DST | NO_SRC | NO_OFFSET))
		return false;
	return c->mark[c->next + 1] ? refuse(c, EXO_PROG_TARGET) : true;
}

static bool insn_check(struct prog_check *c, const struct exo_insn *i)
{
	if (insn_dst(i) >= REGS || insn_src(i) >= REGS)
		return refuse(c, EXO_PROG_REGISTER);
	c->uses |= 1u << insn_dst(i) | 1u << insn_src(i);
	switch (insn_class(i)) {
	case CLASS_LD:
		return wide_check(c, i);
	case CLASS_LDX:
	case CLASS_ST:
	case CLASS_STX:
		return memory_check(c, i);
	case CLASS_ALU:
		return alu_check(c, i, false);
	case CLASS_ALU64:
		return alu_check(c, i, true);
	default:
		return jump_check(c, i);
	}
}

static uint32_t alu_cost(const struct exo_insn *i)
{
	switch (insn_op(i)) {
	case ALU_DIV:
	case ALU_MOD:
		return EXO_PROG_COST_DIVIDE;
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH:
		return EXO_PROG_COST_SHIFT;
	case ALU_END:
		return EXO_PROG_COST_SWAP;
	default:
		return EXO_PROG_COST_PLAIN;
	}
}

/* Of an instruction that is good. */
static uint32_t insn_cost(struct prog_check *c, const struct exo_insn *i)
{
	unsigned class = insn_class(i), op = insn_op(i);
	bool dst10 = insn_dst(i) == REG_R10, src10 = insn_src(i) == REG_R10;

	switch (class) {
	case CLASS_LD:
		return EXO_PROG_COST_PLAIN;
	case CLASS_LDX:
		c->accesses += !src10;
		return src10 ? EXO_PROG_COST_PLAIN : EXO_PROG_COST_MEMORY;
	case CLASS_ST:
	case CLASS_STX:
		c->accesses += !dst10;
		return (dst10 ? EXO_PROG_COST_PLAIN : EXO_PROG_COST_MEMORY) +
		       (src10 ? EXO_PROG_COST_R10 : 0);
	case CLASS_ALU:
	case CLASS_ALU64:
		return alu_cost(i) + (src10 ? EXO_PROG_COST_R10 : 0);
	default:
		if (op == JMP_A || op == JMP_EXIT)
			return EXO_PROG_COST_PLAIN;
		return EXO_PROG_COST_BRANCH + (unsigned)(dst10 + src10) * EXO_PROG_COST_R10;
	}
}

bool prog_check(struct prog_check *c, uint32_t limit)
{
	uint32_t end = c->next + limit;

	if (!c->count || c->count > EXO_PROG_MAX)
		return refuse(c, EXO_PROG_LENGTH);
	while (c->next < c->count && c->next < end) {
		const struct exo_insn *i = &c->insn[c->next];

		if (!insn_check(c, i))
			return false;
		c->cost += insn_cost(c, i);
		c->next += i->opcode == OPCODE_LDDW ? 2 : 1;
	}
	if (c->next == c->count && c->insn[c->count - 1].opcode != OPCODE_EXIT)
		return refuse(c, EXO_PROG_END);
	c->stack = c->uses >> REG_R10 & 1;
	if (c->next == c->count && c->stack)
		c->cost += c->accesses * EXO_PROG_COST_STACK;
	return true;
}

const char *prog_reason(uint32_t reason)
{
	switch (reason) {
#define REASON(name, number, text) case number: return text;
	EXO_PROG_REASONS(REASON)
#undef REASON
	default:
		return "no such reason";
	}
}
