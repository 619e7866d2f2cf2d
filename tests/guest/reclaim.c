/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c - what it costs to take memory back: in proportion to the frames, whatever the holder
 * did with them.
 *
 * A willing holder maps its frames page by page through one claim, as libexos does.  The others
 * derive, break and share as much as they can, with another CPU using the pages all the time.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include "guest.h"
#include "peer.h"
#include "x86/insn.h"

#define VA    0x0000200000000000ull
#define MOST  100000u
#define SOME  4000u             /* frames of the comparison */
#define TRIES 5u

static struct guest_frames all;

/* Holders: what each does with frames [lo, hi) of a claim; all are mapped at VA afterwards. */
typedef bool holder_make(exo_slot claim, uint64_t lo, uint64_t hi);

static bool map_one(exo_slot claim, uint64_t pfn, uint64_t lo)
{
	return exos_space_map(&exos_space_own, VA + (pfn - lo) * EXO_PAGE_SIZE, claim, pfn, 1,
			      GUEST_RW) == 0;
}

static bool make_willing(exo_slot claim, uint64_t lo, uint64_t hi)
{
	return exos_space_map(&exos_space_own, VA, claim, lo, hi - lo, GUEST_RW) == 0;
}

/* Each frame has a share of its own, by which it is mapped. */
static bool make_shares(exo_slot claim, uint64_t lo, uint64_t hi)
{
	for (uint64_t pfn = lo; pfn < hi; pfn++) {
		exo_slot share = guest_narrow(claim, pfn, pfn + 1, GUEST_RW | EXO_SHARE);

		if (!share || !map_one(share, pfn, lo))
			return false;
	}
	return true;
}

/* Each frame is a claim of its own; taken in an order that leaves every chunk broken to the end. */
static bool make_pieces(exo_slot claim, uint64_t lo, uint64_t hi)
{
	for (uint64_t i = 0; i < hi - lo; i++) {
		uint64_t pfn = lo + i / 2 + (i % 2 ? (hi - lo + 1) / 2 : 0);
		exo_slot piece = guest_narrow(claim, pfn, pfn + 1, GUEST_RW);

		if (!piece || !map_one(piece, pfn, lo))
			return false;
	}
	return true;
}

/* Each claim leaves one frame out of the one it is derived from, first below, then above. */
static bool make_chain(exo_slot claim, uint64_t lo, uint64_t hi)
{
	uint64_t a = lo, b = hi;

	while (b - a > 1) {
		uint64_t own = (b - a) % 2 ? a++ : --b;
		exo_slot next = guest_narrow(claim, a, b, GUEST_RW);

		if (!next || !map_one(claim, own, lo))
			return false;
		claim = next;
	}
	return map_one(claim, a, lo);
}

/* word[0]: pages; store to each in turn, whether it is there or not. */
static void store_for_ever(struct peer *peer)
{
	for (uint64_t i = 0;; i = (i + 1) % peer->word[0]) {
		insn_store((void *)(VA + i * EXO_PAGE_SIZE), i);
		__atomic_store_n(&peer->word[1], peer->word[1] + 1, __ATOMIC_RELAXED);
	}
}

/* TSC ticks that it takes to take back `count` frames from a holder; UINT64_MAX: a failure. */
static uint64_t reclaim_once(holder_make *make, uint64_t count)
{
	exo_slot claim = guest_narrow(all.slot, all.lo, all.lo + count, GUEST_R_SHARE);
	uint64_t start, end;

	if (!claim || !expect(make(claim, all.lo, all.lo + count)))
		return UINT64_MAX;
	start = insn_tsc_ordered();
	expect_eq(exos_cap_revoke(all.slot), 0);
	end = insn_tsc_ordered();
	exos_slot_sweep();
	expect_eq(exos_cap_look(all.slot)->unit, all.hi - all.lo);
	expect_eq(exos_space_entry(VA, NULL), 0);
	expect_eq(exos_space_entry(VA + (count - 1) * EXO_PAGE_SIZE, NULL), 0);
	expect_eq(guest_maps(all.lo + count / 2), 0);
	return end - start;
}

/* The best of some tries, less for what is long. */
static uint64_t reclaim(holder_make *make, uint64_t count)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < (count > SOME ? 2 : TRIES) && !guest_failures(); i++)
		best = min_u64(best, reclaim_once(make, count));
	return best;
}

static bool frames_get(uint64_t count)
{
	return expect_eq(guest_frames_make(&all, count), 0) &&
	       expect_eq(exos_space_prepare(&exos_space_own, VA, count), 0);
}

EXO_TEST(taking_memory_back_is_linear, HUGE)
{
	struct exos_frame_stats stats;
	uint64_t count[3] = { 1, 1000, MOST }, ticks[3];

	exos_frame_stats(&stats);
	count[2] = min_u64(MOST, stats.largest - stats.largest / 64 - 256);
	must(frames_get(count[2]));
	for (unsigned i = 0; i < ARRAY_LEN(count) && !guest_failures(); i++) {
		ticks[i] = reclaim(make_willing, count[i]);
		printf("reclaim of %lu frames: %lu ticks, %lu a frame\n", count[i], ticks[i],
		       ticks[i] / count[i]);
	}
	must(!guest_failures());
	/* A frame costs no more where there are many: exact where ticks are instructions. */
	if (guest_icount())
		expect(ticks[2] / count[2] * 20 <= ticks[1] / count[1] * 21);
}

static void compare(const char *what, holder_make *make, uint64_t willing)
{
	uint64_t ticks = reclaim(make, SOME);

	printf("reclaim from a holder with %s: %lu ticks a frame, %lu%% of a willing one's\n", what,
	       ticks / SOME, ticks * 100 / willing);
	if (guest_icount())
		expect(ticks <= 4 * willing);
}

EXO_TEST(a_hostile_holder_costs_little_more_than_a_willing_one, BIG)
{
	uint64_t willing;

	must(frames_get(SOME));
	willing = reclaim(make_willing, SOME);
	must(!guest_failures());
	printf("reclaim from a willing holder: %lu ticks a frame\n", willing / SOME);
	compare("shares everywhere", make_shares, willing);
	compare("broken ranges", make_pieces, willing);
	compare("a chain of claims", make_chain, willing);
}

static void skip_store(struct peer *peer, struct exo_context *context)
{
	(void)peer;
	context->rip += INSN_STORE_BYTES;
}

/* The sum over all CPUs of one of their counters, told by its place. */
static uint64_t counted(unsigned offset)
{
	const struct exo_machine *m = exos_machine();
	uint64_t count = 0;

	for (uint64_t cpu = 0; cpu < m->cpus; cpu++) {
		const char *stats = exos_machine_at(m->stats_off + cpu * EXO_PAGE_SIZE);

		count += *(const volatile uint64_t *)(const void *)(stats + offset);
	}
	return count;
}
#define COUNTED(field) counted(offsetof(struct exo_cpu_stats, field))

/* How long a CPU waits for another is the host's affair here; how often it does is the kernel's. */
EXO_TEST(a_holder_that_uses_its_pages_is_stopped_by_few_interrupts, SMP)
{
	enum { PAGES = 1500 };
	uint64_t willing, before, sent;
	struct peer peer;
	exo_slot claim;

	must(frames_get(PAGES));
	willing = reclaim(make_willing, PAGES);
	must_eq(peer_make(&peer), 0);
	peer_upcalls(&peer, skip_store);
	peer.word[0] = PAGES;
	must_eq(peer_slots(&peer, (exos_page()->cpu + 1) % exos_machine()->cpus, 0, 8), 0);
	must((claim = guest_narrow(all.slot, all.lo, all.hi, GUEST_R_SHARE)) != 0);
	must(make_willing(claim, all.lo, all.hi));
	must_eq(peer_start(&peer, store_for_ever, 0), 0);
	for (unsigned i = 0; i < 1000 && peer.word[1] < 2 * PAGES; i++)
		guest_pause_ms(5);
	expect(peer.word[1] >= 2 * PAGES);
	before = COUNTED(ipis);
	expect_eq(exos_cap_revoke(all.slot), 0);
	sent = COUNTED(ipis) - before;
	expect_eq(guest_maps(all.lo + PAGES / 2), 0);
	printf("reclaim of %d pages in use on another CPU: %lu interrupts (willing: %lu ticks)\n",
	       PAGES, sent, willing);
	expect(sent > 0 && sent <= PAGES / 64);
	peer_end(&peer);
	exos_slot_sweep();
}

/* A peer on another CPU that stores to `pages` pages by turns, there or not, all the time. */
static bool toucher_start(struct peer *peer, uint64_t pages)
{
	uint32_t cpu = (exos_page()->cpu + 1) % exos_machine()->cpus;

	if (!expect_eq(peer_make(peer), 0))
		return false;
	peer_upcalls(peer, skip_store);
	peer->word[0] = pages;
	return expect_eq(peer_slots(peer, cpu, 0, 8), 0) &&
	       expect_eq(peer_start(peer, store_for_ever, 0), 0);
}

/* What taking back costs, counted by the kernel: whatever the host does meanwhile, the same. */
struct cost {
	uint64_t steps, shoots;
};

/* Take `count` frames back from a holder while they are in use; false: it was not so. */
static bool reclaim_in_use(holder_make *make, uint64_t count, struct peer *toucher, struct cost *c)
{
	exo_slot claim = guest_narrow(all.slot, all.lo, all.lo + count, GUEST_R_SHARE);
	uint64_t stores;

	if (!claim || !expect(make(claim, all.lo, all.lo + count)))
		return false;
	stores = __atomic_load_n(&toucher->word[1], __ATOMIC_RELAXED);
	for (unsigned i = 0; i < 2000 && __atomic_load_n(&toucher->word[1], __ATOMIC_RELAXED) <
	     stores + count; i++)
		guest_pause_ms(5);
	*c = (struct cost){ COUNTED(steps), COUNTED(ipis) };
	expect_eq(exos_cap_revoke(all.slot), 0);
	*c = (struct cost){ COUNTED(steps) - c->steps, COUNTED(ipis) - c->shoots };
	exos_slot_sweep();
	expect_eq(exos_cap_look(all.slot)->unit, all.hi - all.lo);
	expect_eq(guest_maps(all.lo + count / 2), 0);
	return expect(__atomic_load_n(&toucher->word[1], __ATOMIC_RELAXED) > stores);
}

EXO_TEST(a_hostile_holder_costs_few_steps_while_its_pages_are_in_use, SMP)
{
	static const struct {
		const char *what;
		holder_make *make;
	} hostile[] = {
		{ "shares everywhere", make_shares }, { "broken ranges", make_pieces },
		{ "a chain of claims", make_chain },
	};
	enum { PAGES = 1500 };
	struct cost willing, cost;
	struct peer toucher;

	must(frames_get(PAGES));
	must(toucher_start(&toucher, PAGES));
	must(reclaim_in_use(make_willing, PAGES, &toucher, &willing));
	printf("reclaim of %d pages in use on another CPU: willing: %lu steps, %lu interrupts\n",
	       PAGES, willing.steps, willing.shoots);
	expect(willing.steps >= PAGES && willing.shoots > 0);
	for (unsigned i = 0; i < ARRAY_LEN(hostile) && !guest_failures(); i++) {
		must(reclaim_in_use(hostile[i].make, PAGES, &toucher, &cost));
		printf("  %s: %lu steps, %lu interrupts\n", hostile[i].what, cost.steps,
		       cost.shoots);
		expect(cost.steps <= 4 * willing.steps);
		/* One interrupt a call, and calls are bounded by their steps. */
		expect(cost.shoots <= 4 * willing.shoots + 4);
	}
	peer_end(&toucher);
}
