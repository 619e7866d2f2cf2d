/* SPDX-License-Identifier: MIT */
/*
 * kills.c - environments are ended at any instant, whatever they are doing; nothing is left.
 *
 * Several run at a time, on all CPUs, call each other's gates and use a disk if there is one.  The
 * boot line may say test=kills=N and test=seed=S; a run is told by its seed, and what the suite
 * finds left over afterwards fails the test.
 */
#include <base/format.h>
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "grind.h"
#include "guest.h"
#include "peer.h"
#include "suite.h"

#define KILLS 120u
#define SECONDS 25ul
#define SEED  1u

static uint64_t number_word(const char *key, uint64_t usual)
{
	const char *text = suite_word(key), *end;
	uint64_t value;

	return text && parse_u64(text, &end, &value) >= 0 ? value : usual;
}

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" */
static uint64_t mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ul;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ z >> 27) * 0x94d049bb133111ebul;
	return z ^ z >> 31;
}

/* Let the others run for a moment of any length. */
static void moment(uint64_t *state, unsigned count)
{
	uint64_t end = insn_tsc() + mix(state) % exos_ns_to_tsc(mix(state) % 8 ? 200000 : 2000000);

	while (insn_tsc() < end)
		if (mix(state) % 2)
			grind_yield((unsigned)(mix(state) % count));
}

static void kill_many(void)
{
	uint64_t kills = number_word("test=kills", KILLS), seed = number_word("test=seed", SEED);
	uint64_t state = seed, calls = 0, idle = 0, requests = 0;
	unsigned count = (unsigned)min_u64(GRINDERS, exos_machine()->cpus + 2);
	struct exos_frame_stats before, after;
	uint64_t deadline = ~0ul, k;

	must(grind_begin());
	for (unsigned n = 0; n < count; n++)
		must(grind_start(n, mix(&state)));
	/* At most so long, unless asked for more: machines differ. */
	if (!suite_word("test=kills"))
		deadline = exos_deadline(SECONDS * 1000000000ul);
	for (k = 0; k < kills && !guest_failures(); k++) {
		unsigned n = (unsigned)(mix(&state) % count);

		moment(&state, count);
		calls += grind_calls(n);
		idle += !grind_calls(n);
		requests += grind_requests(n);
		grind_kill(n, mix(&state) % 2);
		must(grind_start(n, mix(&state)));
		if (k == kills / 4)
			exos_frame_stats(&before);
		if (k > kills / 4 && insn_tsc() > deadline)
			break;
	}
	exos_frame_stats(&after);
	printf("kills: %lu, seed %lu, %u CPUs: %lu calls, %lu disk requests, %lu killed before "
	       "their first, %ld frames missing\n",
	       k, seed, exos_machine()->cpus, calls, requests, idle,
	       (int64_t)(before.free - after.free));
	/* The library keeps page tables and slots; it has all it needs after a while. */
	expect(before.free - after.free <= 16 || after.free > before.free);
	expect(calls > k);
	if (exos_grant("disk", 0))
		expect(requests > 0);
	for (unsigned n = 0; n < count; n++)
		grind_kill(n, n % 2);
	grind_end();
}

EXO_TEST(environments_end_cleanly_at_any_instant, LONG)
{
	kill_many();
}

EXO_TEST(environments_end_cleanly_while_they_use_a_disk, DISK)
{
	kill_many();
}

/* --- many small ones --- */
#define SMALL       3300u       /* kills on a machine, */
#define SMALL_LEAST 300u        /* so many at least: a busy host has its own idea of the time */
#define SMALL_EXACT 10000u      /* and under the deterministic clock */
#define SMALL_AT_ONCE 6u

static struct peer small[SMALL_AT_ONCE];
static struct guest_frames small_frames;
static volatile uint64_t small_calls;

/*
 * Calls that are short, one after the other, without end.  word[0]: seed, word[1]: a FRAME claim,
 * word[2]: an empty slot, word[3]: calls made.
 */
static void call_for_ever(struct peer *p)
{
	uint64_t state = p->word[0];

	for (;; p->word[3]++) {
		uint64_t x = mix(&state);
		int64_t made;

		switch (x % 6) {
		case 0:
			exo_env_yield(0);
			break;
		case 1:
			exo_env_wait(p->page->event_head, insn_tsc() + (x >> 8) % 100000);
			break;
		case 2:
			exo_env_wait(p->page->event_head + 1, 0);
			break;
		case 3:
			made = exo_cap_narrow(p->word[1], p->word[2], 0, 0, EXO_R_READ | EXO_SHARE);
			if (made > 0)
				exo_cap_drop((uint64_t)made);
			break;
		case 4:
			p->page->alarm_tsc = x & 256 ? insn_tsc() + (x >> 8) % 50000 : 0;
			exo_version();
			break;
		default:
			for (uint64_t i = (x >> 8) % 300; i; i--)
				p->word[4] += i;
		}
	}
}

static bool small_start(unsigned n, uint64_t seed)
{
	struct peer *p = &small[n];
	uint32_t cpus = exos_machine()->cpus;
	int64_t name;

	if (!expect_eq(peer_make(p), 0))
		return false;
	name = peer_give(p, 1, small_frames.slot, EXO_R_READ | EXO_SHARE);
	p->word[0] = seed;
	p->word[1] = (uint64_t)name;
	p->word[2] = p->sid + 2;
	p->word[3] = 0;
	return expect(name > 0) && expect_eq(peer_slots(p, n % cpus, n / cpus, 1), 0) &&
	       expect_eq(peer_start(p, call_for_ever, 0), 0);
}

/* All it is made of goes at once, whatever it does just then. */
static void small_kill(unsigned n)
{
	struct peer *p = &small[n];

	small_calls += __atomic_load_n(&p->word[3], __ATOMIC_RELAXED);
	expect_eq(exos_cap_revoke(p->frames.slot), 0);
	exos_space_window_end(p->page, 1);
	p->page = NULL;
	peer_end(p);
}

EXO_TEST(environments_by_the_thousand_end_at_any_instant, LONG)
{
	uint64_t state = number_word("test=seed", SEED), seed = state, kills;
	const uint64_t many = guest_icount() ? SMALL_EXACT : SMALL;
	uint64_t deadline = guest_icount() ? ~0ul : exos_deadline(SECONDS * 1000000000ul);

	small_calls = 0;
	must_eq(guest_frames_make(&small_frames, 1), 0);
	for (unsigned n = 0; n < SMALL_AT_ONCE; n++)
		must(small_start(n, mix(&state)));
	for (kills = 0; kills < many && !guest_failures(); kills++) {
		unsigned n = (unsigned)(mix(&state) % SMALL_AT_ONCE);
		uint64_t end = insn_tsc() + mix(&state) % exos_ns_to_tsc(150000);

		while (insn_tsc() < end)
			exo_env_yield(small[mix(&state) % SMALL_AT_ONCE].env);
		small_kill(n);
		must(small_start(n, mix(&state)));
		if (kills >= SMALL_LEAST && insn_tsc() > deadline)
			break;
	}
	printf("kills: %lu, seed %lu, %u CPUs: %lu calls of small environments\n", kills, seed,
	       exos_machine()->cpus, small_calls);
	expect(kills >= (guest_icount() ? SMALL_EXACT : SMALL_LEAST));
	expect(small_calls > kills);
	for (unsigned n = 0; n < SMALL_AT_ONCE; n++)
		small_kill(n);
	guest_frames_end(&small_frames);
}
