/* SPDX-License-Identifier: MIT */
/*
 * fuzz_turn.c - who of a group acts next: one at a time, in an order that the seed gives.
 *
 * The warden acts whenever a cycle is due, the test itself at each checkpoint, else one of the
 * others at random.  Invariant: what decides is the number of calls made, never the time.
 */
#include "fuzz.h"
#include "guest/x86/insn.h"

uint64_t fuzz_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/*
 * By name, so that what is left of the slice does not go to the victim; who does not take it runs
 * on another CPU.
 */
static void lend(const struct actor *a, unsigned index)
{
	if (exo_env_yield(fuzz_name(a, index)) < 0)
		insn_pause();
}

void fuzz_lend_main(const struct actor *a) { lend(a, HAS_MAIN); }

bool fuzz_turn_wait(struct actor *a)
{
	struct group *g = a->group;
	unsigned turn;

	if (!g->ordered)
		return !fuzz.over && __atomic_load_n(&g->calls, __ATOMIC_RELAXED) < g->want;
	while ((turn = __atomic_load_n(&g->turn, __ATOMIC_ACQUIRE)) != a->number) {
		if (g->over || fuzz.over)
			return false;
		lend(a, turn == FUZZ_MAIN ? HAS_MAIN : HAS_ENV + turn);
	}
	return !fuzz.over;
}

static unsigned next(struct group *g)
{
	const struct fuzz_warden *w = &g->warden;

	if (w->cycles < w->wanted && w->cycles * (g->want / w->wanted) <= g->calls)
		return 0;
	if (g->calls >= g->want) {
		g->over = true;
		return FUZZ_MAIN;
	}
	if (g->calls >= g->next_check) {
		g->next_check += g->step;
		return FUZZ_MAIN;
	}
	return 1 + (unsigned)((fuzz_random(&g->random) >> 8) % (g->actors - 1));
}

void fuzz_turn_pass(struct group *g)
{
	if (g->ordered)
		__atomic_store_n(&g->turn, next(g), __ATOMIC_RELEASE);
}
