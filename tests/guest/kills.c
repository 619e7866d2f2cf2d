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
#include <exos/console.h>
#include <exos/frame.h>
#include <exos/start.h>
#include <exos/time.h>
#include "grind.h"
#include "guest.h"
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
