/* SPDX-License-Identifier: MIT */
/*
 * prog_compile.c - from a checked program to x86-64 instructions, one by one, backwards.
 *
 * Since jumps lead forward only, where a jump leads is known when it is made, and one pass does.
 * Invariant: the code touches no memory but the input, compared by its length, the 512 bytes of the
 * program's stack, and its own frame on the caller's stack; it calls nothing and always ends.
 *
 * rsp:        limits for accesses of 1, 2, 4, 8 bytes (how many places there are in the input),
 * rsp + 32:   the program's stack, if it has one.
 * r12 is the input's address; rax, rcx, rdx are scratch; r10 of the program is a constant.
 */
#include "x86/prog_compile.h"

#include "prog/check.h"
#include "prog/isa.h"
#include "x86/prog_emit.h"

#define LIMITS 32
#define STACK_TOP (EXO_PROG_STACK + EXO_PROG_STACK_BYTES)

static const uint8_t place[REGS] = { RBX, RDI, RSI, R8, R9, R10, R11, R13, R15, RBP, RCX };

/* --- putting pieces where they belong --- */

static void patch(struct emit *e, unsigned behind, uint32_t from, uint32_t to)
{
	uint32_t displacement = to - from;

	__builtin_memcpy(&e->byte[behind - 4], &displacement, sizeof(displacement));
}

/* Before everything made so far. */
static void put(struct prog_compile *p, struct emit *e)
{
	p->at -= e->n;
	for (unsigned i = 0; i < e->fails; i++)
		patch(e, e->fail[i], p->at + e->fail[i], p->fail);
	__builtin_memcpy(p->code + p->at, e->byte, e->n);
}

/* A near jump, the last of the piece, to a place that is known. */
static void emit_jump(const struct prog_compile *p, struct emit *e, unsigned opcode, uint32_t to)
{
	emit_opcode(e, opcode);
	emit_32(e, to - p->at);
}

/* The machine's register that holds one of the program's, for reading. */
static unsigned reg_read(struct emit *e, unsigned reg)
{
	if (reg == REG_R10)
		emit_mov_imm(e, false, RCX, STACK_TOP);
	return place[reg];
}

/* --- arithmetic --- */

static void alu_plain(struct emit *e, const struct exo_insn *i, bool wide, unsigned dst)
{
	static const uint8_t opcode[16] = { [ALU_ADD] = 0x01, [ALU_SUB] = 0x29, [ALU_OR] = 0x09,
		                            [ALU_AND] = 0x21, [ALU_XOR] = 0x31 };
	unsigned op = opcode[insn_op(i)];

	if (i->opcode & OP_REGISTER) {
		emit_rr(e, wide, op, reg_read(e, insn_src(i)), dst);
	} else {
		emit_rr(e, wide, 0x81, op >> 3, dst);
		emit_32(e, (uint32_t)i->imm);
	}
}

static void alu_multiply(struct emit *e, const struct exo_insn *i, bool wide, unsigned dst)
{
	if (i->opcode & OP_REGISTER) {
		emit_rr(e, wide, 0x0faf, dst, reg_read(e, insn_src(i)));
	} else {
		emit_rr(e, wide, 0x69, dst, dst);
		emit_32(e, (uint32_t)i->imm);
	}
}

static void alu_shift(struct emit *e, const struct exo_insn *i, bool wide, unsigned dst)
{
	unsigned op = insn_op(i), how = op == ALU_LSH ? 4 : op == ALU_RSH ? 5 : 7;

	if (i->opcode & OP_REGISTER) {
		unsigned src = reg_read(e, insn_src(i));

		if (src != RCX)
			emit_mov(e, false, RCX, src);
		emit_rr(e, wide, 0xd3, how, dst);
	} else {
		emit_rr(e, wide, 0xc1, how, dst);
		emit_8(e, (unsigned)i->imm & (wide ? 63 : 31));
	}
	if (!wide)
		emit_mov(e, false, dst, dst);   /* also when it was shifted by nothing */
}

static void alu_move(struct emit *e, const struct exo_insn *i, bool wide, unsigned dst)
{
	unsigned src;

	if (!(i->opcode & OP_REGISTER)) {
		emit_mov_imm(e, wide, dst, (uint32_t)i->imm);
		return;
	}
	src = reg_read(e, insn_src(i));
	if (!i->offset)
		emit_mov(e, wide, dst, src);
	else
		emit_rr(e, wide, i->offset == 8 ? 0x0fbe : i->offset == 16 ? 0x0fbf : 0x63, dst,
			src);
}

/* What division by zero leaves. */
static void divide_by_zero(struct emit *e, bool quotient, bool wide, unsigned dst)
{
	if (quotient)
		emit_zero(e, dst);
	else if (!wide)
		emit_mov(e, false, dst, dst);
}

/* dst by rcx, which is not 0 and, if signed, not -1. */
static void divide_plain(struct emit *e, bool quotient, bool wide, bool sign, unsigned dst)
{
	emit_mov(e, wide, RAX, dst);
	if (sign) {
		emit_rex(e, wide, 0, 0, 0);
		emit_8(e, 0x99);                /* rdx: the sign of rax */
	} else {
		emit_zero(e, RDX);
	}
	emit_rr(e, wide, 0xf7, sign ? 7 : 6, RCX);
	emit_mov(e, wide, dst, quotient ? RAX : RDX);
}

/* dst by -1, for which the machine may trap. */
static void divide_minus(struct emit *e, bool quotient, bool wide, unsigned dst)
{
	if (quotient)
		emit_rr(e, wide, 0xf7, 3, dst);
	else
		emit_zero(e, dst);
}

static void alu_divide(struct emit *e, const struct exo_insn *i, bool wide, unsigned dst)
{
	bool quotient = insn_op(i) == ALU_DIV, sign = i->offset == 1;
	unsigned zero, minus, end, end2;

	if (!(i->opcode & OP_REGISTER)) {
		emit_mov_imm(e, wide, RCX, (uint32_t)i->imm);
	} else {
		unsigned src = reg_read(e, insn_src(i));

		if (src != RCX)
			emit_mov(e, wide, RCX, src);
	}
	emit_rr(e, wide, 0x85, RCX, RCX);
	zero = emit_short(e, SHORT_JE);
	minus = 0;
	if (sign) {
		emit_rr(e, wide, 0x83, 7, RCX);         /* compare with -1 */
		emit_8(e, 0xff);
		minus = emit_short(e, SHORT_JE);
	}
	divide_plain(e, quotient, wide, sign, dst);
	end = emit_short(e, SHORT_JMP);
	if (sign) {
		emit_here(e, minus);
		divide_minus(e, quotient, wide, dst);
		end2 = emit_short(e, SHORT_JMP);
		emit_here(e, zero);
		divide_by_zero(e, quotient, wide, dst);
		emit_here(e, end2);
	} else {
		emit_here(e, zero);
		divide_by_zero(e, quotient, wide, dst);
	}
	emit_here(e, end);
}

/* Byte orders: to little-endian only cuts, the others reverse. */
static void alu_swap(struct emit *e, const struct exo_insn *i, bool wide, unsigned dst)
{
	bool reverse = wide || (i->opcode & OP_REGISTER);

	if (i->imm == 16) {
		if (reverse) {
			emit_8(e, 0x66);
			emit_rr(e, false, 0xc1, 0, dst);        /* rotate 16 bits by 8 */
			emit_8(e, 8);
		}
		emit_rr(e, false, 0x0fb7, dst, dst);
		return;
	}
	if (reverse) {
		emit_rex(e, i->imm == 64, 0, 0, dst);
		emit_8(e, 0x0f);
		emit_8(e, 0xc8u | (dst & 7));
	} else if (i->imm == 32) {
		emit_mov(e, false, dst, dst);
	}
}

static void alu_emit(struct emit *e, const struct exo_insn *i)
{
	bool wide = insn_wide(i);
	unsigned dst = place[insn_dst(i)];

	switch (insn_op(i)) {
	case ALU_MUL:
		alu_multiply(e, i, wide, dst);
		break;
	case ALU_DIV:
	case ALU_MOD:
		alu_divide(e, i, wide, dst);
		break;
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH:
		alu_shift(e, i, wide, dst);
		break;
	case ALU_NEG:
		emit_rr(e, wide, 0xf7, 3, dst);
		break;
	case ALU_MOV:
		alu_move(e, i, wide, dst);
		break;
	case ALU_END:
		alu_swap(e, i, wide, dst);
		break;
	default:
		alu_plain(e, i, wide, dst);
	}
}

/* --- jumps --- */

static void compare_emit(struct emit *e, const struct exo_insn *i, bool wide)
{
	bool test = insn_op(i) == JMP_SET;
	unsigned dst = place[insn_dst(i)];

	if (insn_dst(i) == REG_R10)
		emit_mov_imm(e, false, dst = RAX, STACK_TOP);
	if (i->opcode & OP_REGISTER) {
		emit_rr(e, wide, test ? 0x85 : 0x39, reg_read(e, insn_src(i)), dst);
	} else {
		emit_rr(e, wide, test ? 0xf7 : 0x81, test ? 0 : 7, dst);
		emit_32(e, (uint32_t)i->imm);
	}
}

static void jump_emit(const struct prog_compile *p, struct emit *e, const struct exo_insn *i,
                      uint32_t index)
{
	static const uint8_t condition[16] = {
		[JMP_EQ] = 0x4, [JMP_GT] = 0x7, [JMP_GE] = 0x3, [JMP_SET] = 0x5, [JMP_NE] = 0x5,
		[JMP_SGT] = 0xf, [JMP_SGE] = 0xd, [JMP_LT] = 0x2, [JMP_LE] = 0x6,
		[JMP_SLT] = 0xc, [JMP_SLE] = 0xe,
	};
	unsigned op = insn_op(i);

	if (op == JMP_EXIT) {
		if (p->at != p->leave)
			emit_jump(p, e, NEAR_JMP, p->leave);
		return;
	}
	if (op != JMP_A)
		compare_emit(e, i, insn_wide(i));
	emit_jump(p, e, op == JMP_A ? NEAR_JMP : 0x0f80u | condition[op],
	          p->place[index + 1 + insn_jump(i)]);
}

/* --- memory --- */

/* An access by one of the two ways to name memory. */
struct access {
	unsigned opcode;
	unsigned reg;                   /* or extension */
	bool     wide;
	uint8_t  prefix;                /* 0: none */
	uint8_t  imm_bytes;             /* of a number to store */
	uint32_t imm;
};

static struct access access_load(const struct exo_insn *i)
{
	static const uint16_t zeros[4] = { 0x0fb6, 0x0fb7, 0x8b, 0x8b };
	static const uint16_t signs[3] = { 0x0fbe, 0x0fbf, 0x63 };
	unsigned size = insn_log_bytes(i);
	bool sign = insn_mode(i) == MODE_MEMSX;

	return (struct access){ .opcode = sign ? signs[size] : zeros[size],
		                .reg = place[insn_dst(i)], .wide = sign || size == 3 };
}

static struct access access_store(struct emit *e, const struct exo_insn *i)
{
	unsigned size = insn_log_bytes(i);
	struct access a = { .wide = size == 3, .prefix = size == 1 ? 0x66 : 0 };

	if (insn_class(i) == CLASS_ST) {
		a.opcode = size ? 0xc7 : 0xc6;
		a.imm_bytes = size == 3 ? 4 : (uint8_t)(1u << size);
		a.imm = (uint32_t)i->imm;
	} else {
		a.opcode = size ? 0x89 : 0x88;
		a.reg = reg_read(e, insn_src(i));
	}
	return a;
}

static void access_tail(struct emit *e, const struct access *a)
{
	for (unsigned i = 0; i < a->imm_bytes; i++)
		emit_8(e, a->imm >> 8 * i & 0xff);
}

static void access_at(struct emit *e, const struct access *a, unsigned base, int32_t disp)
{
	if (a->prefix)
		emit_8(e, a->prefix);
	emit_rm(e, a->wide, a->opcode, a->reg, base, disp);
	access_tail(e, a);
}

static void access_index(struct emit *e, const struct access *a, unsigned base, int disp)
{
	if (a->prefix)
		emit_8(e, a->prefix);
	emit_rmx(e, a->wide, a->opcode, a->reg, base, RAX, disp);
	access_tail(e, a);
}

/* In the stack at a constant place, or nowhere. */
static void memory_constant(struct emit *e, const struct exo_insn *i, const struct access *a)
{
	int bytes = 1 << insn_log_bytes(i), from = i->offset + (int)EXO_PROG_STACK_BYTES;

	if (from < 0 || from + bytes > (int)EXO_PROG_STACK_BYTES)
		emit_fail(e, NEAR_JMP);
	else
		access_at(e, a, RSP, LIMITS + from);
}

/* rax: the place in the input, or no place there. */
static void memory_stack(struct emit *e, const struct access *a, unsigned log_bytes)
{
	emit_rr(e, true, 0x81, 5, RAX);
	emit_32(e, EXO_PROG_STACK - EXO_PROG_INPUT);
	emit_rr(e, true, 0x81, 7, RAX);
	emit_32(e, EXO_PROG_STACK_BYTES - (1u << log_bytes));
	emit_fail(e, NEAR_JA);
	access_index(e, a, RSP, LIMITS);
}

/* In the input, if it may be there; else in the stack, if there is one. */
static void memory_checked(const struct prog_compile *p, struct emit *e, const struct exo_insn *i,
                           const struct access *a, unsigned base, bool input)
{
	unsigned size = insn_log_bytes(i), there = 0, end = 0;

	if (!input && !p->stack) {
		emit_fail(e, NEAR_JMP);
		return;
	}
	emit_rm(e, true, 0x8d, RAX, base, i->offset - (int32_t)EXO_PROG_INPUT);
	if (input)
		emit_rm(e, true, 0x3b, RAX, RSP, 8 * (int32_t)size);
	if (input && !p->stack) {
		emit_fail(e, NEAR_JAE);
		access_index(e, a, R12, 0);
		return;
	}
	if (input)
		there = emit_short(e, SHORT_JB);
	memory_stack(e, a, size);
	if (!input)
		return;
	end = emit_short(e, SHORT_JMP);
	emit_here(e, there);
	access_index(e, a, R12, 0);
	emit_here(e, end);
}

static void memory_emit(const struct prog_compile *p, struct emit *e, const struct exo_insn *i)
{
	bool load = insn_class(i) == CLASS_LDX;
	unsigned base = load ? insn_src(i) : insn_dst(i);
	struct access a = load ? access_load(i) : access_store(e, i);

	if (base == REG_R10)
		memory_constant(e, i, &a);
	else
		memory_checked(p, e, i, &a, place[base], load || p->writable);
}

/* --- a program --- */

static void wide_emit(struct emit *e, const struct exo_insn *i)
{
	unsigned dst = place[insn_dst(i)];

	emit_rex(e, true, 0, 0, dst);
	emit_8(e, 0xb8u | (dst & 7));
	emit_32(e, (uint32_t)i[0].imm);
	emit_32(e, (uint32_t)i[1].imm);
}

static void insn_emit(const struct prog_compile *p, struct emit *e, uint32_t index)
{
	const struct exo_insn *i = &p->insn[index];

	switch (insn_class(i)) {
	case CLASS_LD:
		wide_emit(e, i);
		break;
	case CLASS_LDX:
	case CLASS_ST:
	case CLASS_STX:
		memory_emit(p, e, i);
		break;
	case CLASS_ALU:
	case CLASS_ALU64:
		alu_emit(e, i);
		break;
	default:
		jump_emit(p, e, i, index);
	}
}

/* Registers that the caller keeps something in, with the program's that lies there. */
static const struct saved { uint8_t reg, program; } saved[] = {
	{ RBX, REG_R0 }, { R12, 0 }, { R13, 7 }, { R15, 8 }, { RBP, 9 },
};
#define SAVED (sizeof(saved) / sizeof(saved[0]))

static bool is_saved(const struct prog_compile *p, unsigned i)
{
	return saved[i].reg == R12 ? p->sizes : p->uses >> saved[i].program & 1;
}

static int32_t frame_bytes(const struct prog_compile *p)
{
	return LIMITS + (p->stack ? (int32_t)EXO_PROG_STACK_BYTES : 0);
}

/* The end of the code: return rbx; or 0. */
static void epilogue(struct prog_compile *p)
{
	struct emit e = { 0 }, fail = { 0 };

	emit_mov(&e, true, RAX, RBX);
	emit_rr(&e, true, 0x81, 0, RSP);
	emit_32(&e, (uint32_t)frame_bytes(p));
	for (unsigned i = SAVED; i-- > 0;)
		if (is_saved(p, i)) {
			emit_rex(&e, false, 0, 0, saved[i].reg);
			emit_8(&e, 0x58u | (saved[i].reg & 7));
		}
	emit_8(&e, 0xc3);
	emit_zero(&fail, RBX);
	emit_opcode(&fail, NEAR_JMP);
	emit_32(&fail, 0u - fail.n - 4 - e.n);
	put(p, &fail);
	p->fail = p->at;
	put(p, &e);
	p->leave = p->at;
}

/* limit[n] = places for 1 << n bytes among rsi: rsi + 1 - (1 << n), or 0. */
static void limits_emit(const struct prog_compile *p, struct emit *e)
{
	emit_zero(e, RCX);
	for (unsigned n = 0; n < 4; n++) {
		if (!(p->sizes >> n & 1))
			continue;
		emit_mov(e, true, RAX, RSI);
		emit_rr(e, true, 0x83, 5, RAX);
		emit_8(e, (1u << n) - 1);
		emit_rr(e, true, 0x0f42, RAX, RCX);             /* below: 0 */
		emit_rm(e, true, 0x89, RAX, RSP, 8 * (int32_t)n);
	}
}

static void stack_clear(struct emit *e)
{
	emit_rm(e, true, 0x8d, RDI, RSP, LIMITS);
	emit_mov_imm(e, false, RCX, EXO_PROG_STACK_BYTES / 8);
	emit_zero(e, RAX);
	emit_8(e, 0xf3);
	emit_8(e, 0x48);
	emit_8(e, 0xab);                                        /* rep stosq */
}

static void prologue(struct prog_compile *p)
{
	struct emit e = { 0 };

	for (unsigned i = 0; i < SAVED; i++)
		if (is_saved(p, i)) {
			emit_rex(&e, false, 0, 0, saved[i].reg);
			emit_8(&e, 0x50u | (saved[i].reg & 7));
		}
	emit_rr(&e, true, 0x81, 5, RSP);
	emit_32(&e, (uint32_t)frame_bytes(p));
	if (p->sizes) {
		emit_mov(&e, true, R12, RDI);
		limits_emit(p, &e);
	}
	if (p->stack)
		stack_clear(&e);
	emit_mov_imm(&e, false, RDI, EXO_PROG_INPUT);
	for (unsigned r = 0; r < REG_R10; r++)
		if (r != REG_R1 && r != REG_R2 && p->uses >> r & 1)
			emit_zero(&e, place[r]);
	put(p, &e);
}

void prog_compile_start(struct prog_compile *p, const struct prog_check *checked, bool writable)
{
	p->next = checked->count;
	p->at = p->code_bytes;
	p->uses = checked->uses | 1u << REG_R0;
	p->sizes = checked->sizes;
	p->stack = checked->stack;
	p->writable = writable;
	epilogue(p);
}

bool prog_compile(struct prog_compile *p, uint32_t limit)
{
	for (; p->next && limit; limit--) {
		struct emit e;
		uint32_t index = p->next - 1;

		/* The second half of a 64-bit immediate load is the only instruction that is 0. */
		if (!p->insn[index].opcode)
			index--;
		e.n = e.fails = 0;
		insn_emit(p, &e, index);
		put(p, &e);
		p->place[index] = p->at;
		p->next = index;
	}
	if (p->next)
		return false;
	if (limit) {
		prologue(p);
		return true;
	}
	return false;
}
