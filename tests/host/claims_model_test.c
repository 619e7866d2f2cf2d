/* SPDX-License-Identifier: MIT */
/*
 * claims_model_test.c - random calls on claims, frames and page tables, against a model
 * (claims_model.h), and a few calls that are not random.
 */
// sources: exo/claim.c exo/pieces.c exo/end.c exo/retype.c exo/frame.c exo/table.c exo/space.c
// sources: exo/lend.c exo/known.c exo/x86/port_holder.c
// includes: exo
// flags: -include tests/host/claims_fake.h -fno-builtin
#include <stdlib.h>

#include "test.h"

#include "claims_model.h"

#define STEPS 20000

static unsigned pick(unsigned n) { return (unsigned)rand() % n; }

static void run_random(unsigned seed)
{
	srand(seed);
	arena_make();
	for (unsigned step = 0; step < STEPS && !test_reason[0]; step++) {
		if (step % 64 == 0)
			tables_link();
		step_random();
		if (step % 16 == 0 || test_reason[0])
			all_check();
	}
	end_random();
}

TEST(claims_random_against_model_seed_1) { run_random(1); }
TEST(claims_random_against_model_seed_2) { run_random(2); }
TEST(claims_random_against_model_seed_3) { run_random(3); }

/* A chain of 400 claims, each derived from the one before: work is twice their number. */
TEST(claims_revoke_of_a_deep_chain_is_linear)
{
	struct exo_cap *c, *dst;
	unsigned made = 0, pieces = 0;

	arena_make();
	c = slot_at(exo_slot_sid(root_name));
	for (; made < 400; made++) {
		struct claim_spec s = {
			.kind = EXO_KIND_FRAME, .lo = c->lo, .hi = c->hi - 1, .rights = c->rights};

		dst = slot_number(16 + made);
		if (dst->kind != EXO_KIND_NONE)
			continue;
		CHECK_EQ(claim_derive_check(c, &s), 0);
		claim_derive(c, dst, &s);
		c = dst;
	}
	c = slot_at(exo_slot_sid(root_name));
	do {
		work_left = WORK_PER_CALL;
		pieces++;
	} while (claim_revoke(c) == EXO_MORE);
	/* Each frame is looked at once, whoever holds it. */
	CHECK(pieces <= ((FRAMES - RAM_LO) / 8 + 400 * 10) / WORK_PER_CALL + 1);
	CHECK(frame_range_held(RAM_LO, FRAMES, slot_sid(c)));
}

/* --- pieces of BLOCK claims: narrowed, dropped and revoked in pieces, others in between --- */
#define BLOCKS 256u
static exo_sid block_holder[BLOCKS];

static bool blocks_free(uint64_t lo, uint64_t hi, exo_sid sid)
{
	for (; lo < hi; lo++)
		if (block_holder[lo] != sid)
			return false;
	return true;
}

static void blocks_narrow(void)
{
	struct exo_cap *c = slot_number(16 + pick(200)), *dst = slot_number(16 + pick(200));
	struct claim_spec s = { .kind = EXO_KIND_BLOCK, .lo = pick(BLOCKS), .rights = 1 };
	int err;

	s.hi = s.lo + 1 + pick(pick(3) ? 9 : 120);
	if (c->kind != EXO_KIND_BLOCK || dst->kind != EXO_KIND_NONE)
		return;
	err = claim_derive_check(c, &s);
	if ((c->flags & EXO_CAP_FROZEN) || s.lo < c->lo || s.hi > c->hi) {
		CHECK(err);
		return;
	}
	CHECK_EQ(!err, blocks_free(s.lo, s.hi, slot_sid(c)));
	if (err)
		return;
	claim_derive(c, dst, &s);
	for (uint64_t b = s.lo; b < s.hi; b++)
		block_holder[b] = slot_sid(dst);
}

/* The deepest claim on a block holds it, and of two the narrower, and the one that stays. */
static uint64_t block_rank(const struct exo_cap *c)
{
	uint64_t size = c->hi - c->lo, stays = !(c->flags & EXO_CAP_ENDING), depth = 0;

	for (; c->parent; c = slot_at(c->parent))
		depth++;
	return depth << 32 | (BLOCKS - size) << 1 | stays;
}

static void blocks_look(void)
{
	for (unsigned b = 0; b < BLOCKS; b++) {
		const struct exo_cap *best = NULL;

		for (unsigned n = 16; n < 216; n++) {
			const struct exo_cap *c = slot_number(n);

			if (c->kind == EXO_KIND_BLOCK && b >= c->lo && b < c->hi &&
			    (!best || block_rank(c) > block_rank(best)))
				best = c;
		}
		block_holder[b] = slot_sid(best);
	}
}

TEST(claims_pieces_of_blocks_against_model)
{
	struct claim_spec root = { .kind = EXO_KIND_BLOCK, .hi = BLOCKS, .rights = 1 };
	unsigned made = 0;

	srand(4);
	arena_make();
	claim_root(slot_number(16), &root);
	for (unsigned step = 0; step < 10000; step++) {
		struct exo_cap *c = slot_number(16 + pick(200));

		blocks_look();
		made += slot_number(16)->child != 0;
		if (pick(4)) {
			blocks_narrow();
			continue;
		}
		work_left = 1 + pick(12);
		if (c->kind == EXO_KIND_BLOCK && c->parent && pick(6))
			claim_drop(c);
		else if (c->kind == EXO_KIND_BLOCK && !pick(20))
			claim_revoke(c);
	}
	CHECK(made > 1000);
	CHECK_EQ(until_done(claim_revoke, slot_number(16)), 0);
	for (unsigned n = 17; n < 216; n++)
		CHECK(slot_number(n)->kind != EXO_KIND_BLOCK);
	CHECK(!slot_number(16)->child && !slot_number(16)->badge);
}

TEST(claims_stale_and_foreign_names)
{
	struct exo_cap *c, *found;
	struct claim_spec s = {.kind = EXO_KIND_FRAME, .lo = 100, .hi = 101, .rights = EXO_R_READ};
	exo_slot name;

	arena_make();
	c = slot_number(20);
	claim_derive(slot_at(exo_slot_sid(root_name)), c, &s);
	name = slot_name(c);
	CHECK_EQ(claim_any(env, name, &found), 0);
	CHECK_EQ(claim_find(env, name, EXO_KIND_BLOCK, 0, &found), -EXO_E_KIND);
	CHECK_EQ(claim_find(env, name, EXO_KIND_FRAME, EXO_R_WRITE, &found), -EXO_E_RIGHTS);
	env->id++;
	memset(env->table_hit, 0xff, sizeof(env->table_hit));
	CHECK_EQ(claim_any(env, name, &found), -EXO_E_STALE);
	env->id--;
	CHECK_EQ(until_done(claim_drop, c), 0);
	CHECK_EQ(claim_any(env, name, &found), -EXO_E_STALE);
	for (unsigned i = 0; i < 100000; i++) {
		exo_slot forged = (uint64_t)rand() << 32 ^ (uint64_t)rand() << 8 ^ rand();

		CHECK(claim_any(env, forged, &found) == -EXO_E_STALE || slot_name(found) == forged);
	}
	c->gen = GEN_RETIRED;
	CHECK_EQ(slot_empty(env, slot_sid(c), &found), -EXO_E_SLOT);
	CHECK_EQ(slot_empty(env, ~0ul, &found), -EXO_E_SLOT);
}

TEST_MAIN
