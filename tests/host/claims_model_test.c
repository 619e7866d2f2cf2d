/* SPDX-License-Identifier: MIT */
/*
 * claims_model_test.c - random calls on claims, frames and page tables, against a model
 * (claims_model.h), and a few calls that are not random.
 */
// sources: exo/claim.c exo/end.c exo/retype.c exo/frame.c exo/table.c exo/space.c
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
	CHECK(pieces < 400 * 40 / WORK_PER_CALL);
	CHECK(frame_range_held(RAM_LO, FRAMES, slot_sid(c)));
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
	env->table_hit = TABLE_NONE;
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
