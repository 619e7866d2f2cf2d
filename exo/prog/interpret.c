/* SPDX-License-Identifier: MIT */
/*
 * interpret.c - the reference: what a program that passed prog_check does, step by step.
 *
 * Invariant: no byte is touched but those of the input and the stack.  Each step is the RFC's
 * sentence about the instruction, not what is fast.
 */
#include "prog/interpret.h"

#include "prog/isa.h"

struct machine {
	uint64_t reg[REGS];
	uint8_t stack[EXO_PROG_STACK_BYTES];
	uint8_t *input;
	uint64_t bytes;
	uint64_t stack_bytes;
	bool writable;
};

static inline bool alu_signed(const struct exo_insn *i) { return i->offset == 1; }

static uint64_t divide(uint64_t a, uint64_t b, bool wide, bool sign)
{
	if (!b)
		return 0;
	if (!sign)
		return a / b;
	if (wide)
		return (int64_t)b == -1 ? 0 - a : (uint64_t)((int64_t)a / (int64_t)b);
	return (int32_t)b == -1 ? 0 - a : (uint64_t)((int32_t)a / (int32_t)b);
}

static uint64_t modulo(uint64_t a, uint64_t b, bool wide, bool sign)
{
	if (!b)
		return a;
	if (!sign)
		return a % b;
	if (wide)
		return (int64_t)b == -1 ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
	return (int32_t)b == -1 ? 0 : (uint64_t)((int32_t)a % (int32_t)b);
}

static uint64_t extend(uint64_t b, int bits)
{
	switch (bits) {
	case 8:
		return (uint64_t)(int8_t)b;
	case 16:
		return (uint64_t)(int16_t)b;
	case 32:
		return (uint64_t)(int32_t)b;
	default:
		return b;
	}
}

static uint64_t swap(const struct exo_insn *i, uint64_t a)
{
	bool reverse = insn_class(i) == CLASS_ALU64 || (i->opcode & OP_REGISTER);

	if (i->imm == 16)
		return reverse ? __builtin_bswap16((uint16_t)a) : (uint16_t)a;
	if (i->imm == 32)
		return reverse ? __builtin_bswap32((uint32_t)a) : (uint32_t)a;
	return reverse ? __builtin_bswap64(a) : a;
}

/* a and b are 32 bits wide if `wide` is false; the result's upper half does not count then. */
static uint64_t alu(const struct exo_insn *i, uint64_t a, uint64_t b, bool wide)
{
	unsigned shift = b & (wide ? 63 : 31);

	switch (insn_op(i)) {
	case ALU_ADD:
		return a + b;
	case ALU_SUB:
		return a - b;
	case ALU_MUL:
		return a * b;
	case ALU_DIV:
		return divide(a, b, wide, alu_signed(i));
	case ALU_OR:
		return a | b;
	case ALU_AND:
		return a & b;
	case ALU_LSH:
		return a << shift;
	case ALU_RSH:
		return a >> shift;
	case ALU_NEG:
		return 0 - a;
	case ALU_MOD:
		return modulo(a, b, wide, alu_signed(i));
	case ALU_XOR:
		return a ^ b;
	case ALU_MOV:
		return extend(b, i->offset);
	case ALU_ARSH:
		return wide ? (uint64_t)((int64_t)a >> shift) : (uint64_t)((int32_t)a >> shift);
	default:
		return swap(i, a);
	}
}

static uint64_t operand(const struct machine *m, const struct exo_insn *i)
{
	return i->opcode & OP_REGISTER ? m->reg[insn_src(i)] : (uint64_t)(int64_t)i->imm;
}

static void alu_step(struct machine *m, const struct exo_insn *i)
{
	uint64_t a = m->reg[insn_dst(i)], b = operand(m, i), result;
	bool wide = insn_wide(i);

	if (insn_op(i) == ALU_END)
		result = swap(i, a);
	else if (wide)
		result = alu(i, a, b, true);
	else
		result = (uint32_t)alu(i, (uint32_t)a, (uint32_t)b, false);
	m->reg[insn_dst(i)] = result;
}

static bool jump_taken(const struct machine *m, const struct exo_insn *i)
{
	uint64_t a = m->reg[insn_dst(i)], b = operand(m, i);
	int64_t sa = (int64_t)a, sb = (int64_t)b;

	if (!insn_wide(i)) {
		a = (uint32_t)a, b = (uint32_t)b;
		sa = (int32_t)a, sb = (int32_t)b;
	}
	switch (insn_op(i)) {
	case JMP_A:
		return true;
	case JMP_EQ:
		return a == b;
	case JMP_GT:
		return a > b;
	case JMP_GE:
		return a >= b;
	case JMP_SET:
		return a & b;
	case JMP_NE:
		return a != b;
	case JMP_SGT:
		return sa > sb;
	case JMP_SGE:
		return sa >= sb;
	case JMP_LT:
		return a < b;
	case JMP_LE:
		return a <= b;
	case JMP_SLT:
		return sa < sb;
	default:
		return sa <= sb;
	}
}

/* The memory behind an address of the program, or NULL. */
static uint8_t *memory_at(struct machine *m, uint64_t address, uint64_t bytes, bool write)
{
	uint64_t in = address - EXO_PROG_INPUT, on = address - EXO_PROG_STACK;

	if (in < m->bytes && bytes <= m->bytes - in && (!write || m->writable))
		return m->input + in;
	if (on < m->stack_bytes && bytes <= m->stack_bytes - on)
		return m->stack + on;
	return NULL;
}

static bool load_step(struct machine *m, const struct exo_insn *i)
{
	uint64_t bytes = 1ul << insn_log_bytes(i), value = 0;
	const uint8_t *from = memory_at(m, m->reg[insn_src(i)] + (uint64_t)(int64_t)i->offset,
	                                bytes, false);

	if (!from)
		return false;
	__builtin_memcpy(&value, from, bytes);
	if (insn_mode(i) == MODE_MEMSX)
		value = extend(value, (int)bytes * 8);
	m->reg[insn_dst(i)] = value;
	return true;
}

static bool store_step(struct machine *m, const struct exo_insn *i)
{
	uint64_t bytes = 1ul << insn_log_bytes(i);
	uint64_t value = insn_class(i) == CLASS_ST ? (uint64_t)(int64_t)i->imm :
	                                             m->reg[insn_src(i)];
	uint8_t *to = memory_at(m, m->reg[insn_dst(i)] + (uint64_t)(int64_t)i->offset, bytes, true);

	if (to)
		__builtin_memcpy(to, &value, bytes);
	return to;
}

uint64_t prog_interpret(const struct exo_insn *insn, bool stack, void *input, uint64_t bytes,
                        bool writable)
{
	struct machine m = { .input = input, .bytes = bytes, .writable = writable,
		             .stack_bytes = stack ? EXO_PROG_STACK_BYTES : 0 };

	m.reg[REG_R1] = EXO_PROG_INPUT;
	m.reg[REG_R2] = bytes;
	m.reg[REG_R10] = EXO_PROG_STACK + EXO_PROG_STACK_BYTES;
	for (const struct exo_insn *i = insn; i->opcode != OPCODE_EXIT; i++) {
		switch (insn_class(i)) {
		case CLASS_LD:
			m.reg[insn_dst(i)] = (uint32_t)i->imm | (uint64_t)(uint32_t)i[1].imm << 32;
			i++;
			break;
		case CLASS_LDX:
			if (!load_step(&m, i))
				return 0;
			break;
		case CLASS_ST:
		case CLASS_STX:
			if (!store_step(&m, i))
				return 0;
			break;
		case CLASS_ALU:
		case CLASS_ALU64:
			alu_step(&m, i);
			break;
		default:
			if (jump_taken(&m, i))
				i += insn_jump(i);
		}
	}
	return m.reg[REG_R0];
}
