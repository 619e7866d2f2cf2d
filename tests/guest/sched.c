/* SPDX-License-Identifier: MIT */
/*
 * sched.c - slice vectors: what is set is what runs, read back from the vectors and the trace.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "peer.h"
#include "x86/insn.h"

#define HERE    (exos_page()->cpu)
#define SECOND  1000000000ull

static const struct exo_vector *vector_of(uint32_t cpu)
{
	return exos_machine_at(exos_machine()->vectors_off + cpu * EXO_PAGE_SIZE);
}

static const struct exo_trace *trace_of(uint32_t cpu)
{
	return exos_machine_at(exos_machine()->trace_off + cpu * sizeof(struct exo_trace));
}

static const struct exo_cpu_stats *stats_of(uint32_t cpu)
{
	return exos_machine_at(exos_machine()->stats_off + cpu * EXO_PAGE_SIZE);
}

/* Sleep, so that our slots are others', until the peer stopped; false after so many seconds. */
static bool sleep_until_stopped(struct peer *peer, uint64_t seconds)
{
	uint64_t end = exos_deadline(seconds * SECOND);

	while (__atomic_load_n(&peer->page->stop_reason, __ATOMIC_ACQUIRE) == EXO_STOP_RUNS &&
	       exos_tsc() < end)
		exos_sleep(SECOND / 50);
	return expect(peer->page->stop_reason != EXO_STOP_RUNS);
}

static void turn(struct peer *peer)
{
	for (volatile uint64_t *turns = &peer->word[0];; (*turns)++)
		continue;
}

EXO_TEST(slots_are_set_by_their_holder, SHORT)
{
	const struct exos_grant *time = peer_time(HERE);
	struct peer peer;
	exo_slot part;

	must(time != NULL);
	must_eq(peer_make(&peer), 0);
	expect_eq(exo_slot_set(time->slot, time->lo, peer.env), 0);
	expect_eq(vector_of(time->unit)->slot[time->lo].env, peer_pfn(&peer));
	expect_eq(vector_of(time->unit)->slot[time->lo].claim, exo_slot_sid(time->slot));
	expect_error(exo_slot_set(time->slot, time->lo - 1, peer.env), RANGE);
	expect_error(exo_slot_set(time->slot, time->hi, peer.env), RANGE);
	expect_error(exo_slot_set(time->slot, ~0ull, peer.env), RANGE);
	expect_error(exo_slot_set(time->slot, time->lo, guest_claim("space")), KIND);
	expect_error(exo_slot_set(time->slot, time->lo, 4711), STALE);
	/* Slots in use are not given away; others are, and are then the receiver's to set. */
	expect_error(exo_cap_narrow(time->slot, guest_sid(), time->lo, time->lo + 2, EXO_R_CONTROL),
		     MAPPED);
	must((part = guest_narrow(time->slot, time->lo + 1, time->lo + 3, EXO_R_CONTROL)) != 0);
	expect_error(exo_slot_set(time->slot, time->lo + 1, peer.env), SPLIT);
	expect_error(exo_cap_narrow(time->slot, guest_sid(), time->lo + 2, time->lo + 4,
				    EXO_R_CONTROL),
		     SPLIT);
	expect_eq(exo_slot_set(part, time->lo + 1, peer.env), 0);
	expect_eq(exos_cap_drop(part), 0);
	expect_eq(vector_of(time->unit)->slot[time->lo + 1].env, 0);
	expect_eq(exo_slot_set(time->slot, time->lo + 1, peer.env), 0);
	expect_eq(exo_slot_set(time->slot, time->lo + 1, 0), 0);
	expect_eq(vector_of(time->unit)->slot[time->lo + 1].env, 0);
	/* An environment that ends leaves its slots. */
	peer_end(&peer);
	expect_eq(vector_of(time->unit)->slot[time->lo].env, 0);
}

EXO_TEST(naming_an_environment_needs_the_right, SHORT)
{
	const struct exos_grant *time = peer_time(HERE);
	struct peer peer;
	exo_slot weak;

	must(time != NULL);
	must_eq(peer_make(&peer), 0);
	must((weak = guest_narrow(peer.env, 0, 0, EXO_R_CONTROL | EXO_R_NOTIFY)) != 0);
	expect_error(exo_slot_set(time->slot, time->lo, weak), RIGHTS);
	expect_error(exo_env_yield(weak), RIGHTS);
	expect_eq(exo_slot_set(time->slot, time->lo, peer.env), 0);
	peer_end(&peer);
}

/*
 * Records of runs in our slots [lo, hi) from record `first` on: each must be of the environment
 * named
 * there; the number seen.
 */
static unsigned check_trace(uint32_t cpu, uint64_t first, uint64_t lo, uint64_t hi,
			    const struct peer *peers)
{
	const struct exo_trace *trace = trace_of(cpu);
	uint64_t last = trace->count;
	unsigned seen = 0;

	if (last - first > EXO_TRACE_RECORDS)
		first = last - EXO_TRACE_RECORDS;
	for (uint64_t n = first; n < last; n++) {
		const struct exo_trace_record *r = &trace->record[n % EXO_TRACE_RECORDS];

		if (r->kind != EXO_TRACE_RUN || r->b < lo || r->b >= hi)
			continue;
		seen++;
		expect_eq(r->a, peer_pfn(&peers[(r->b - lo) % 3]));
	}
	return seen;
}

static void sched_by_vector(uint32_t cpu)
{
	static struct peer peers[3];
	const struct exos_grant *time = peer_time(cpu);
	uint64_t first, end, hi;

	must(time != NULL);
	hi = time->lo + min_u64(6, time->hi - time->lo);
	for (unsigned i = 0; i < 3; i++) {
		must_eq(peer_make(&peers[i]), 0);
		must_eq(peer_start(&peers[i], turn, 0), 0);
	}
	for (uint64_t slot = time->lo; slot < hi; slot++)
		must_eq(exo_slot_set(time->slot, slot, peers[(slot - time->lo) % 3].env), 0);
	/* From the next round of the vector on, each of our slots must be run by whom it names. */
	while (vector_of(cpu)->current >= time->lo && vector_of(cpu)->current < hi)
		exos_sleep(SECOND / 200);
	first = trace_of(cpu)->count;
	/*
	 * Two rounds of the vector, so that our slots came at least once, whole.  On a machine that
	 * is busy with others many a slot goes by unseen: so up to ten.
	 */
	end = exos_tsc() + 10 * EXO_VECTOR_SLOTS * exos_machine()->slice_tsc;
	do
		exos_sleep(2 * SECOND * EXO_VECTOR_SLOTS / 100);
	while (check_trace(cpu, first, time->lo, hi, peers) < 4 && exos_tsc() < end);
	expect(check_trace(cpu, first, time->lo, hi, peers) >= 4);
	for (unsigned i = 0; i < 3; i++) {
		expect(peers[i].word[0] > 0);
		peer_end(&peers[i]);
	}
}

EXO_TEST(the_trace_shows_what_the_vector_says, LONG)
{
	sched_by_vector(HERE);
}

EXO_TEST(the_trace_shows_it_on_every_cpu, SMP)
{
	for (uint32_t cpu = 0; cpu < exos_machine()->cpus; cpu++)
		if (cpu != HERE)
			sched_by_vector(cpu);
}

static void turn_and_yield(struct peer *peer)
{
	for (;;) {
		peer->word[0]++;
		peer->word[3] = (uint64_t)exo_env_yield(0);
	}
}

EXO_TEST(a_directed_yield_runs_the_one_named, SHORT)
{
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	/* It has no slot at all: it runs in our slice only. */
	must_eq(peer_start(&peer, turn_and_yield, 0), 0);
	guest_pause_ms(20);
	expect_eq(peer.word[0], 0);
	for (unsigned i = 1; i <= 50; i++) {
		must_eq(exo_env_yield(peer.env), 0);
		expect(peer.word[0] <= i);
	}
	/* Now and then our slice ends before it has counted. */
	expect(peer.word[0] >= 40);
	expect_eq(peer.word[3], 0);
	while (exo_env_control(peer.env, EXO_ENV_STOP, 0, 0) == EXO_MORE)
		continue;
	expect_error(exo_env_yield(peer.env), BUSY);
	peer_end(&peer);
}

EXO_TEST(a_slot_nobody_can_use_is_lent, LONG)
{
	uint64_t lends = stats_of(HERE)->lends;
	struct peer sleeper, worker;

	must_eq(peer_make(&sleeper), 0);
	must_eq(peer_make(&worker), 0);
	/* The sleeper is named but never started; who stands behind it gets its time. */
	must_eq(peer_slots(&sleeper, HERE, 0, 4), 0);
	must_eq(peer_slots(&worker, HERE, 4, 1), 0);
	must_eq(peer_start(&worker, turn, 0), 0);
	guest_pause_ms(400);
	expect(stats_of(HERE)->lends > lends);
	expect(worker.word[0] > 0);
	expect_eq(sleeper.page->slices, 0);
	peer_end(&sleeper);
	peer_end(&worker);
}

static void wait_then_mark(struct peer *peer)
{
	for (;;) {
		exo_env_wait(peer->page->event_head, 0);
		__atomic_exchange_n(&peer->page->event_count[3], 0, __ATOMIC_ACQ_REL);
		__atomic_fetch_add(&peer->word[0], 1, __ATOMIC_RELEASE);
	}
}

/*
 * Turns in slots that are lent to it: posts to their owner (word[3]: doorbell, word[4]: the vector,
 * word[5]: first of the slots, word[6]: the owner's count, word[2]: posts with a wait that is over
 * at once, too) and sees whether the owner ran before the slot was over: word[0], or not: word[1].
 */
static void borrow_and_wake(struct peer *peer)
{
	const volatile struct exo_vector *v = (const void *)peer->word[4];
	const volatile uint64_t *count = (const void *)peer->word[6];

	while (peer->word[0] + peer->word[1] < 6) {
		uint64_t slot = v->current, seen = *count;

		if (slot < peer->word[5] || slot >= peer->word[5] + 4 ||
		    v->running != peer->page->env_pfn)
			continue;
		if (peer->word[2])
			exo_env_notify_wait(peer->word[3], peer->page->event_head - 1, 0);
		else
			exo_env_notify(peer->word[3]);
		while (*count == seen && v->current == slot)
			insn_relax();
		/* What the owner does in a later slot of its own is too late. */
		peer->word[*count == seen || v->current != slot]++;
		/* On to another slot, so that each counts once. */
		while (v->current == slot)
			insn_relax();
	}
}

static void owner_wakes(bool waits)
{
	const struct exos_grant *time = peer_time(HERE);
	struct peer owner, borrower;
	exo_slot bell;

	must(time != NULL);
	must_eq(peer_make(&owner), 0);
	must_eq(peer_make(&borrower), 0);
	bell = (exo_slot)exo_doorbell(owner.env, guest_sid(), 3, EXO_R_NOTIFY);
	must((int64_t)bell > 0);
	borrower.word[3] = (uint64_t)peer_give(&borrower, 0, bell, EXO_R_NOTIFY);
	borrower.word[2] = waits;
	borrower.word[4] = (uint64_t)vector_of(HERE);
	borrower.word[5] = time->lo;
	borrower.word[6] = (uint64_t)&owner.word[0];
	must((int64_t)borrower.word[3] > 0);
	must_eq(peer_slots(&owner, HERE, 0, 4), 0);
	must_eq(peer_slots(&borrower, HERE, 4, 4), 0);
	must_eq(peer_start(&owner, wait_then_mark, 0), 0);
	must_eq(peer_start(&borrower, borrow_and_wake, 0), 0);
	must(sleep_until_stopped(&borrower, 60));
	/* One post may have come at the very end of a slot. */
	expect(borrower.word[0] >= 5);
	peer_end(&owner);
	peer_end(&borrower);
}

EXO_TEST(an_owner_that_wakes_takes_its_slot_back, LONG)
{
	owner_wakes(false);
}

EXO_TEST(an_owner_woken_by_who_need_not_wait_takes_its_slot_back, LONG)
{
	owner_wakes(true);
}

EXO_TEST(every_cpu_works, SMP)
{
	enum { MOST = 16 };
	static struct peer peers[MOST];
	uint32_t cpus = (uint32_t)min_u64(exos_machine()->cpus, MOST);
	uint64_t before[MOST];

	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		before[cpu] = stats_of(cpu)->switches;
		must_eq(peer_make(&peers[cpu]), 0);
		must_eq(peer_slots(&peers[cpu], cpu, 0, 4), 0);
		must_eq(peer_start(&peers[cpu], turn, 0), 0);
	}
	guest_pause_ms(700);
	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		expect(stats_of(cpu)->switches > before[cpu]);
		expect(stats_of(cpu)->entries > 0 && stats_of(cpu)->interrupts > 0);
		expect(peers[cpu].word[0] > 0);
		expect_eq(peers[cpu].page->cpu, cpu);
		peer_end(&peers[cpu]);
	}
}
