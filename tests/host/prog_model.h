/* SPDX-License-Identifier: MIT */
/*
 * prog_model.h - a second opinion on what programs do, and random programs.
 *
 * Written apart from exo/prog/interpret.c and in another way: registers are arrays of 64 bits'
 * places in a number of 128, arithmetic is done digit by digit, memory is one array of bytes for
 * all that the program could name.  Slow on purpose.
 */
#ifndef PROG_MODEL_H
#define PROG_MODEL_H

#include "prog_host.h"

typedef unsigned __int128 wide_t;

#define MODEL_INPUT_MAX 256u

struct model {
	wide_t r[11];
	uint8_t input[MODEL_INPUT_MAX];
	uint32_t bytes;
	uint8_t stack[512];
	bool has_stack, writable;
};

static inline wide_t model_cut(wide_t a, unsigned bits) { return a & (((wide_t)1 << bits) - 1); }
static inline bool model_negative(wide_t a, unsigned bits) { return a >> (bits - 1) & 1; }

/* The number of more bits that has the same value. */
static inline wide_t model_widen(wide_t a, unsigned from, unsigned to)
{
	for (unsigned i = from; model_negative(model_cut(a, from), from) && i < to; i++)
		a |= (wide_t)1 << i;
	return model_cut(a, to);
}

static inline wide_t model_negate(wide_t a, unsigned bits)
{
	return model_cut(((wide_t)1 << bits) - a, bits);
}

/* Long division in base 2. */
static inline wide_t model_long_division(wide_t a, wide_t b, unsigned bits, wide_t *rest)
{
	wide_t q = 0, r = 0;

	for (unsigned i = bits; i-- > 0;) {
		r = r << 1 | (a >> i & 1);
		q <<= 1;
		if (r >= b) {
			r -= b;
			q |= 1;
		}
	}
	*rest = r;
	return q;
}

static inline wide_t model_divide(wide_t a, wide_t b, unsigned bits, bool sign, bool want_rest)
{
	bool na = sign && model_negative(a, bits), nb = sign && model_negative(b, bits);
	wide_t q, rest;

	if (!b)
		return want_rest ? a : 0;
	q = model_long_division(na ? model_negate(a, bits) : a, nb ? model_negate(b, bits) : b,
	                        bits, &rest);
	if (want_rest)
		return na ? model_negate(rest, bits) : rest;
	return na != nb ? model_negate(q, bits) : q;
}

/* Shift one place at a time; `fill` comes in from the left. */
static inline wide_t model_shift(wide_t a, unsigned places, unsigned bits, int left, bool fill)
{
	while (places--)
		a = left ? model_cut(a << 1, bits) : a >> 1 | (wide_t)fill << (bits - 1);
	return a;
}

static inline wide_t model_reverse(wide_t a, unsigned bytes)
{
	wide_t r = 0;

	for (unsigned i = 0; i < bytes; i++)
		r |= (a >> 8 * i & 0xff) << 8 * (bytes - 1 - i);
	return r;
}

static inline wide_t model_alu(uint8_t opcode, int16_t offset, int32_t imm, wide_t a, wide_t b,
                               unsigned bits)
{
	switch (opcode & 0xf0) {
	case 0x00: return model_cut(a + b, bits);
	case 0x10: return model_cut(a + model_negate(b, bits), bits);
	case 0x20: return model_cut(a * b, bits);
	case 0x30: return model_divide(a, b, bits, offset, false);
	case 0x40: return a | b;
	case 0x50: return a & b;
	case 0x60: return model_shift(a, (unsigned)(b % bits), bits, 1, false);
	case 0x70: return model_shift(a, (unsigned)(b % bits), bits, 0, false);
	case 0x80: return model_negate(a, bits);
	case 0x90: return model_divide(a, b, bits, offset, true);
	case 0xa0: return a ^ b;
	case 0xb0:
		return !offset ? b : model_widen(model_cut(b, (unsigned)offset), (unsigned)offset,
		                                 bits);
	case 0xc0: return model_shift(a, (unsigned)(b % bits), bits, 0, model_negative(a, bits));
	default:
		if (opcode == 0xd4)
			return model_cut(a, (unsigned)imm);
		return model_reverse(model_cut(a, (unsigned)imm), (unsigned)imm / 8);
	}
}

/* Is a below b, as numbers with or without sign? */
static inline bool model_below(wide_t a, wide_t b, unsigned bits, bool sign)
{
	wide_t flip = sign ? (wide_t)1 << (bits - 1) : 0;

	return (a ^ flip) < (b ^ flip);
}

static inline bool model_jumps(uint8_t opcode, wide_t a, wide_t b, unsigned bits)
{
	switch (opcode >> 4) {
	case 0x0: return true;
	case 0x1: return a == b;
	case 0x2: return model_below(b, a, bits, false);
	case 0x3: return !model_below(a, b, bits, false);
	case 0x4: return (a & b) != 0;
	case 0x5: return a != b;
	case 0x6: return model_below(b, a, bits, true);
	case 0x7: return !model_below(a, b, bits, true);
	case 0xa: return model_below(a, b, bits, false);
	case 0xb: return !model_below(b, a, bits, false);
	case 0xc: return model_below(a, b, bits, true);
	default:  return !model_below(b, a, bits, true);
	}
}

/* One byte of all that the program can name, or NULL. */
static inline uint8_t *model_byte(struct model *m, uint64_t at, bool write)
{
	if (at >= 0x1000000 && at < 0x1000000 + (uint64_t)m->bytes)
		return write && !m->writable ? NULL : &m->input[at - 0x1000000];
	if (m->has_stack && at >= 0x2000000 && at < 0x2000200)
		return &m->stack[at - 0x2000000];
	return NULL;
}

static inline unsigned model_bytes(uint8_t opcode)
{
	return (opcode & 0x18) == 0x10 ? 1 : (opcode & 0x18) == 0x08 ? 2 :
	       (opcode & 0x18) == 0x00 ? 4 : 8;
}

static inline bool model_memory(struct model *m, const struct exo_insn *i)
{
	unsigned bytes = model_bytes(i->opcode), class = i->opcode & 7;
	unsigned dst = i->regs & 15, src = i->regs >> 4;
	uint64_t at = (uint64_t)(class == 1 ? m->r[src] : m->r[dst]) + (uint64_t)i->offset;
	wide_t value = class == 1 ? 0 :
	               class == 2 ? model_widen((uint32_t)i->imm, 32, 64) : m->r[src];

	for (unsigned n = 0; n < bytes; n++)
		if (!model_byte(m, at + n, class != 1))
			return false;
	for (unsigned n = 0; n < bytes; n++) {
		uint8_t *b = model_byte(m, at + n, class != 1);

		if (class == 1)
			value |= (wide_t)*b << 8 * n;
		else
			*b = (uint8_t)(value >> 8 * n);
	}
	if (class == 1)
		m->r[dst] = i->opcode & 0x80 ? model_widen(value, 8 * bytes, 64) : value;
	return true;
}

static inline uint64_t model_run(struct model *m, const struct exo_insn *insn)
{
	uint32_t pc = 0;

	memset(m->stack, 0, sizeof(m->stack));
	memset(m->r, 0, sizeof(m->r));
	m->r[1] = 0x1000000;
	m->r[2] = m->bytes;
	m->r[10] = 0x2000200;
	for (;; pc++) {
		const struct exo_insn *i = &insn[pc];
		unsigned class = i->opcode & 7, dst = i->regs & 15;
		unsigned bits = class == 4 || class == 6 ? 32 : 64;
		wide_t a = model_cut(m->r[dst], bits);
		wide_t b = i->opcode & 8 ? model_cut(m->r[i->regs >> 4], bits) :
		                           model_widen((uint32_t)i->imm, 32, bits);

		if (i->opcode == 0x95)
			return (uint64_t)m->r[0];
		if (i->opcode == 0x18)
			m->r[dst] = (uint32_t)i->imm | (wide_t)(uint32_t)insn[++pc].imm << 32;
		else if ((i->opcode & 0xf7) == 0xd4)
			m->r[dst] = model_alu(i->opcode, 0, i->imm, m->r[dst], 0, 64);
		else if (class == 4 || class == 7)
			m->r[dst] = model_alu(i->opcode, i->offset, i->imm, a, b, bits);
		else if (class == 5 || class == 6)
			pc += !model_jumps(i->opcode, a, b, bits) ? 0 :
			      i->opcode == 0x06 ? (uint32_t)i->imm : (uint32_t)i->offset;
		else if (!model_memory(m, i))
			return 0;
	}
}

/* --- random programs: pick(n) gives a number below n --- */

static uint32_t pick(uint32_t n);

static inline uint64_t random_number(void)
{
	static const uint64_t edge[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff,
		0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000,
		0xffffffffffffffff, 0x1000000, 0x2000000, 63, 64, 31, 32 };

	if (pick(2))
		return edge[pick(sizeof(edge) / sizeof(edge[0]))];
	return (uint64_t)pick(1u << 16) << 48 | (uint64_t)pick(1u << 16) << 32 |
	       (uint64_t)pick(1u << 16) << 16 | pick(1u << 16);
}

/* A register to write; seldom r1 and r9, the ways to the input and to the end of the stack. */
static inline uint32_t random_dst(void)
{
	uint32_t r = pick(10);

	return (r == 1 || r == 9) && pick(32) ? 0 : r;
}

static inline uint8_t random_regs(bool writes_dst)
{
	return (uint8_t)((writes_dst ? random_dst() : pick(11)) | pick(11) << 4);
}

static inline struct exo_insn random_alu(void)
{
	struct exo_insn i = { .opcode = (uint8_t)(pick(14) << 4 | pick(2) << 3 | (pick(2) ? 4 : 7)),
		              .regs = random_regs(true), .imm = (int32_t)random_number() };
	unsigned op = i.opcode >> 4;

	if (op == 8 || (op == 13 && (i.opcode & 7) == 7))
		i.opcode &= 0xf7;
	if ((op == 3 || op == 9) && pick(2))
		i.offset = 1;
	if (op == 11 && (i.opcode & 8))
		i.offset = (int16_t)(8u << pick((i.opcode & 7) == 7 ? 3 : 2)) * (int16_t)pick(2);
	if (op == 13)
		i.imm = 16 << pick(3);
	if (op == 8 || (op != 13 && (i.opcode & 8)))
		i.imm = 0;
	if (op == 8 || op == 13 || !(i.opcode & 8))
		i.regs &= 15;
	return i;
}

static inline struct exo_insn random_jump(uint32_t room)
{
	static const uint8_t op[] = { 0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13 };
	struct exo_insn i = { .opcode = (uint8_t)(op[pick(12)] << 4 | pick(2) << 3 | (5 + pick(2))),
		              .regs = random_regs(false), .imm = (int32_t)random_number(),
		              .offset = (int16_t)pick(pick(4) ? 1 + room / 4 : room) };

	if (i.opcode >> 4 == 0) {
		i.opcode &= 7;
		i.regs = 0;
		i.imm = i.opcode == 6 ? i.offset : 0;
		i.offset = i.opcode == 6 ? 0 : i.offset;
	} else if (i.opcode & 8) {
		i.imm = 0;
	} else {
		i.regs &= 15;
	}
	return i;
}

/* Mostly by registers that may hold addresses: r1, r10, and those they were copied to. */
static inline struct exo_insn random_memory(void)
{
	static const uint8_t opcode[] = { 0x61, 0x69, 0x71, 0x79, 0x81, 0x89, 0x91, 0x61, 0x71,
		0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b };
	struct exo_insn i = { .opcode = opcode[pick(sizeof(opcode))] };
	unsigned base = pick(64) ? (pick(2) ? 1 : 10) : pick(11), other = random_dst();
	bool load = (i.opcode & 7) == 1;

	i.regs = (uint8_t)(load ? other | base << 4 : base | other << 4);
	i.offset = (int16_t)(base == 10 ? -8 - (int)pick(pick(64) ? 505 : 520) :
	                     (int)pick(pick(64) ? 64 : 300));
	if (base == 10 && !pick(64))
		i.offset = (int16_t)-(int)pick(9);
	if (!pick(8)) {         /* r9 is 16 below the end of the stack: see random_program */
		i.regs = (uint8_t)(load ? (i.regs & 15) | 9 << 4 : (i.regs & 0xf0) | 9);
		i.offset = (int16_t)((int)pick(pick(16) ? 9 : 17) - (pick(4) ? 0 : 490));
	}
	if (!pick(256))
		i.offset = (int16_t)random_number();
	if ((i.opcode & 7) == 2) {
		i.regs &= 15;
		i.imm = (int32_t)random_number();
	}
	return i;
}

/* Mix all registers into the result, so that it tells of each. */
#define RANDOM_MIX 20u
static inline void random_mix(struct exo_insn *insn)
{
	for (uint32_t r = 0; r < 10; r++) {
		insn[2 * r] = (struct exo_insn){ .opcode = 0x27, .imm = 0x5bd1e995 };
		insn[2 * r + 1] = (struct exo_insn){ .opcode = 0x0f, .regs = (uint8_t)(r << 4) };
	}
}

/* A program of `count` instructions, at least RANDOM_MIX + 3: valid, ended by an exit. */
static inline void random_program(struct exo_insn *insn, uint32_t count)
{
	uint32_t n = 2;

	insn[0] = (struct exo_insn){ .opcode = 0xbf, .regs = 0xa9 };
	insn[1] = (struct exo_insn){ .opcode = 0x07, .regs = 9, .imm = -16 };
	while (n < count - 1 - RANDOM_MIX) {
		uint32_t what = pick(16);

		if (what == 0 && n + 2 < count - RANDOM_MIX) {
			uint64_t v = random_number();

			insn[n++] = (struct exo_insn){ .opcode = 0x18, .regs = (uint8_t)pick(10),
				                       .imm = (int32_t)v };
			insn[n++] = (struct exo_insn){ .imm = (int32_t)(v >> 32) };
		} else if (what < 4) {
			insn[n] = random_jump(count - 1 - n);
			n++;
		} else if (what < 8) {
			insn[n++] = random_memory();
		} else if (what == 8 && !pick(32)) {
			insn[n++] = (struct exo_insn){ .opcode = 0x95 };
		} else {
			insn[n++] = random_alu();
		}
	}
	random_mix(insn + n);
	n += RANDOM_MIX;
	insn[n] = (struct exo_insn){ .opcode = 0x95 };
	/* Jumps into the second half of a wide load are refused: make them go past it. */
	for (uint32_t i = 0; i < n; i++) {
		int64_t to = i + 1 + insn_jump(&insn[i]);

		if ((insn[i].opcode & 7) != 5 && (insn[i].opcode & 7) != 6)
			continue;
		if (insn[i].opcode == 0x95 || insn[to].opcode)
			continue;
		if (insn[i].opcode == 0x06)
			insn[i].imm++;
		else
			insn[i].offset++;
	}
}

#endif
