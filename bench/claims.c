/* SPDX-License-Identifier: MIT */
/*
 * claims.c - rows about claims: that they cost the same with 10 and with 10,000 in the table and in
 * the tree, and that ending them costs in proportion to what ends.
 *
 * All claims of a row but one are pieces of one claim, each of one frame, in the own table.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>

#include "bench.h"

#define FEW    10u
#define MANY   10000u
#define SPARE  64u              /* frames of the claim that are nobody's piece */
#define STRIDE 197u             /* between claims looked up one after the other */
#define READ_WRITE (EXO_R_READ | EXO_R_WRITE)

static exo_slot whole;          /* the claim that is cut into pieces */
static exo_slot piece[MANY];
static uint32_t pieces;
static uint64_t lo;             /* of it; the pieces begin at lo + SPARE */
static exo_sid dst;             /* an empty slot */
static uint64_t va;             /* with a page table */
static int64_t sum;

static const char *pieces_make(uint32_t count)
{
	exo_slot from;

	if (exos_frame_alloc(MANY + SPARE, &lo, &from) < 0 ||
	    exos_cap_narrow(from, lo, lo + MANY + SPARE, READ_WRITE | EXO_R_RETYPE, &whole) < 0)
		return "no memory";
	dst = exos_slot_alloc();
	for (pieces = 0; pieces < count; pieces++) {
		uint64_t at = lo + SPARE + pieces;

		if (exos_cap_narrow(whole, at, at + 1, READ_WRITE, &piece[pieces]) < 0)
			return "a piece was refused";
	}
	va = exos_space_reserve(1ul << 21);
	if (exos_space_prepare(&exos_space_own, va, 1) < 0)
		return "no page table";
	return NULL;
}

static const char *few_begin(void) { return pieces_make(FEW); }
static const char *many_begin(void) { return pieces_make(MANY); }

static void pieces_end(void)
{
	exos_cap_revoke(whole);
	for (uint32_t i = 0; i < pieces; i++)
		exos_slot_free(exo_slot_sid(piece[i]));
	exos_slot_free(dst);
	exos_cap_drop(whole);
	exos_frame_free(lo, MANY + SPARE);
	exos_space_release(va, 1ul << 21);
}

static const char *sum_check(uint32_t rounds)
{
	(void)rounds;
	return sum ? "a call was refused" : NULL;
}

/* Look claims up all over the table, none near the one before, and do next to nothing else. */
static void lookup_run(uint32_t rounds)
{
	uint32_t at = 0, step = STRIDE % pieces;

	sum = 0;
	for (uint32_t i = rounds; i; i--) {
		sum += exo_cap_ask(piece[at], 0, 0);
		at += step;
		if (at >= pieces)
			at -= pieces;
	}
}

/* Derive the smallest piece and end it. */
static void narrow_run(uint32_t rounds)
{
	sum = 0;
	for (uint32_t i = rounds; i; i--) {
		int64_t made = exo_cap_narrow(whole, dst, lo + 7, lo + 8, READ_WRITE);

		sum += made < 0 ? made : exo_cap_drop((exo_slot)made);
	}
}

/* Give a piece to an environment (the own one), and end what was given. */
static void give_run(uint32_t rounds)
{
	exo_slot env = exos_grant("env", 0)->slot, what = piece[pieces / 3];

	sum = 0;
	for (uint32_t i = rounds; i; i--) {
		int64_t made = exo_cap_give(what, env, dst, READ_WRITE);

		sum += made < 0 ? made : exo_cap_drop((exo_slot)made);
	}
}

/* Bind a page-table entry by a piece, and empty it. */
static void bind_run(uint32_t rounds)
{
	uint64_t own = exos_space_own.slot;
	struct exo_map_op op[2] = {
		{ .slot = piece[pieces / 2], .va = va, .pfn = lo + SPARE + pieces / 2, .pages = 1,
		  .op = EXO_MAP, .prot = READ_WRITE },
		{ .va = va, .pages = 1, .op = EXO_UNMAP },
	};

	sum = 0;
	for (uint32_t i = rounds; i; i--) {
		sum += exo_space_update(own, (uintptr_t)&op[0], 1) - 1;
		sum += exo_space_update(own, (uintptr_t)&op[1], 1) - 1;
	}
}

#define PAIR(what, per_round) \
	static const struct bench_row what##_few = { \
		.name = "claims_" #what "_10", .rounds = per_round, .share = 1, \
		.begin = few_begin, .run = what##_run, .check = sum_check, .end = pieces_end, \
	}; \
	static const struct bench_row what##_many = { \
		.name = "claims_" #what "_10000", .rounds = per_round, .share = 1, \
		.begin = many_begin, .run = what##_run, .check = sum_check, .end = pieces_end, \
	}
PAIR(lookup, 60);
PAIR(narrow, 12);
PAIR(give, 12);
PAIR(bind, 12);

/* Pieces of one frame, made before each run, are taken back in one go: the cost of one. */
#define REVOKED_MAX 40u
static uint32_t revoke_share;

static void revoke_reset(uint32_t rounds)
{
	uint32_t count = rounds * revoke_share;

	exos_cap_revoke(whole);
	for (uint32_t i = 0; i < count; i++)
		exo_cap_narrow(whole, exo_slot_sid(piece[i]), lo + i, lo + i + 1, READ_WRITE);
}

static void revoke_run(uint32_t rounds)
{
	(void)rounds;
	sum = exos_cap_revoke(whole);
}

static const char *revoke_check(uint32_t rounds)
{
	(void)rounds;
	return sum || exos_cap_look(whole)->child ? "the revoke did not end all" : NULL;
}

static const char *revoke_few_begin(void)
{
	revoke_share = 4;
	return pieces_make(MANY);
}

static const char *revoke_many_begin(void)
{
	revoke_share = REVOKED_MAX;
	return pieces_make(MANY);
}

static const struct bench_row revoke_few = {
	.name = "claims_revoke_4", .rounds = 1, .share = 4, .begin = revoke_few_begin,
	.reset = revoke_reset, .run = revoke_run, .check = revoke_check, .end = pieces_end,
};
static const struct bench_row revoke_many = {
	.name = "claims_revoke_40", .rounds = 1, .share = REVOKED_MAX, .begin = revoke_many_begin,
	.reset = revoke_reset, .run = revoke_run, .check = revoke_check, .end = pieces_end,
};

BENCH_ROW(lookup_few);
BENCH_ROW(lookup_many);
BENCH_ROW(narrow_few);
BENCH_ROW(narrow_many);
BENCH_ROW(give_few);
BENCH_ROW(give_many);
BENCH_ROW(bind_few);
BENCH_ROW(bind_many);
BENCH_ROW(revoke_few);
BENCH_ROW(revoke_many);
