/* SPDX-License-Identifier: MIT */
/*
 * share.c - who gets how much of a CPU: environments that turn measure it themselves.
 *
 * A turning environment adds up time stamps as long as they follow each other closely: a gap is
 * time that others had.  It tells apart slots that name it and slots that others lent to it or
 * that it took something of.
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
#include "share.h"
#include "x86/insn.h"

#define HERE    (exos_page()->cpu)
#define ROUNDS  3u
#define ALL     EXO_VECTOR_SLOTS
#define RUN     8u              /* at most, slots that follow each other */

static const struct exo_vector *vector_of(uint32_t cpu)
{
	return exos_machine_at(exos_machine()->vectors_off + cpu * EXO_PAGE_SIZE);
}

void share_spend(struct peer *peer)
{
	const volatile struct exo_vector *v = (const void *)peer->word[VECTOR];
	volatile uint64_t *word = peer->word;
	uint64_t last = exos_tsc(), me = peer_pfn(peer);

	for (;;) {
		uint64_t now = exos_tsc(), slot = v->current, took = now - last;

		last = now;
		if (took > word[GAP] || !word[GO] || !(word[SLOTS] >> slot & 1))
			continue;
		word[v->slot[slot].env == me ? OWN : OTHER] += took;
	}
}

/*
 * Blocks for a 10,000th of a second, again and again: with 18 of 64 slots, in which alone it can
 * run, that is more than 1,000 times a second of everybody's time.
 */
#define OFTEN "aaabbcddddddddd"
static void wake_often(struct peer *peer)
{
	uint64_t step = exos_machine()->tsc_hz / 10000;

	for (;;) {
		uint64_t next = exos_tsc() + step;

		exo_env_wait(peer->page->event_head, next);
		if (peer->word[GO] && exos_tsc() >= next)
			((volatile uint64_t *)peer->word)[WAKES]++;
	}
}

/* The n-th of the slots on a CPU that are the test's to hand out, and the claim on it; or 64. */
static uint64_t slot_number(uint32_t cpu, uint64_t n, exo_slot *claim)
{
	const struct exos_grant *time;

	for (unsigned i = 0; (time = exos_grant("slots", i)); i++) {
		if (time->unit != cpu)
			continue;
		*claim = time->slot;
		if (n < time->hi - time->lo)
			return time->lo + n;
		n -= time->hi - time->lo;
	}
	return EXO_VECTOR_SLOTS;
}

/* Put a peer into the slots that the pattern, repeated as a whole, says: a bit for each slot. */
static uint64_t slots_fill(const struct peer *peer, uint32_t cpu, const char *pattern,
			   uint64_t most, char name)
{
	uint64_t length = 0, mask = 0, n = 0, slot;
	exo_slot claim;

	while (pattern[length])
		length++;
	for (; n + length <= most && slot_number(cpu, n + length - 1, &claim) < EXO_VECTOR_SLOTS;
	     n += length)
		for (uint64_t i = 0; i < length; i++) {
			slot = slot_number(cpu, n + i, &claim);
			mask |= 1ull << slot;
			if (pattern[i] == name)
				expect_eq(exo_slot_set(claim, slot, peer->env), 0);
		}
	return mask;
}

bool share_turn(struct peer *peers, unsigned count, uint32_t cpu, const char *pattern,
		uint64_t most, peer_main *last)
{
	for (unsigned i = 0; i < count; i++) {
		struct peer *p = &peers[i];

		if (!expect_eq(peer_make(p), 0))
			return false;
		p->word[VECTOR] = (uint64_t)vector_of(cpu);
		p->word[SLOTS] = slots_fill(p, cpu, pattern, most, (char)('a' + i));
		p->word[GAP] = exos_machine()->tsc_hz / (guest_icount() ? 10000 : 20000);
		if (!expect(p->word[SLOTS] != 0))
			return false;
	}
	for (unsigned i = 0; i < count; i++)
		if (!expect_eq(peer_start(&peers[i], i + 1 == count ? last : share_spend, 0), 0))
			return false;
	return true;
}

uint64_t share_round_tsc(void)
{
	return EXO_VECTOR_SLOTS * exos_machine()->slice_tsc;
}

/* Count over so many whole rounds of the vector. */
static void count_rounds(struct peer *peers, unsigned count, uint64_t rounds)
{
	uint64_t round = share_round_tsc(), end;

	guest_pause_ms(20);
	for (unsigned i = 0; i < count; i++)
		__atomic_store_n(&peers[i].word[GO], 1, __ATOMIC_RELEASE);
	end = exos_tsc() + rounds * round;
	exos_sleep(exos_tsc_to_ns(rounds * round));
	while (exos_tsc() < end)
		insn_relax();
	for (unsigned i = 0; i < count; i++)
		__atomic_store_n(&peers[i].word[GO], 0, __ATOMIC_RELEASE);
}

/*
 * Shares of three peers in their own slots must be 3:2:1 of what all three got there, each but for
 * so many hundredths of its own share.  Where the clock is real the host takes what it likes of
 * each: there they must only have run.
 */
static void shares_check(const struct peer *peers, uint64_t hundredths)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < 3; i++)
		sum += peers[i].word[OWN];
	if (!expect(sum > exos_machine()->slice_tsc))
		return;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t is = peers[i].word[OWN], due = sum / 6 * (3 - i);
		uint64_t off = is > due ? is - due : due - is;

		expect(is > 0);
		if (guest_icount() && off * 100 >= due * hundredths)
			guest_fail("environment %u got %lu, its share is %lu", i, is, due);
	}
}

EXO_TEST(shares_are_as_slots, LONG)
{
	static struct peer peers[3];

	must(share_turn(peers, 3, HERE, "aaabbc", ALL, share_spend));
	count_rounds(peers, 3, ROUNDS);
	shares_check(peers, 1);
	for (unsigned i = 0; i < 3; i++)
		peer_end(&peers[i]);
}

EXO_TEST(shares_hold_while_another_wakes_often, LONG)
{
	static struct peer peers[4];
	uint64_t wakes;

	must(share_turn(peers, 4, HERE, OFTEN, ALL, wake_often));
	count_rounds(peers, 4, ROUNDS);
	wakes = peers[3].word[WAKES];
	shares_check(peers, 3);
	if (guest_icount() && wakes < ROUNDS * share_round_tsc() * 1000 / exos_machine()->tsc_hz)
		guest_fail("it woke %lu times only", wakes);
	printf("shares: %lu %lu %lu, beside %lu wakes in %u rounds\n", peers[0].word[OWN],
	       peers[1].word[OWN], peers[2].word[OWN], wakes, ROUNDS);
	expect(wakes >= 20);
	for (unsigned i = 0; i < 4; i++)
		peer_end(&peers[i]);
}

/* Always asks for a little more time, and never yields for it. */
static void spend_critical(struct peer *peer)
{
	peer->page->critical = 1;
	share_spend(peer);
}

EXO_TEST(time_put_off_is_paid_for, LONG)
{
	static struct peer peers[2];
	uint64_t greedy, modest;

	must(share_turn(peers, 2, HERE, "ab", RUN, spend_critical));
	count_rounds(peers, 2, 3);
	modest = peers[0].word[OWN] + peers[0].word[OTHER];
	greedy = peers[1].word[OWN] + peers[1].word[OTHER];
	expect(peers[1].page->owed);
	expect(modest > 0 && greedy > 0);
	/* It would be ahead by 1 %: 50 us more of each 10 ms, and 50 us less for the other. */
	if (guest_icount() && greedy > modest + modest / 400)
		guest_fail("who puts off got %lu, the other %lu", greedy, modest);
	for (unsigned i = 0; i < 2; i++)
		peer_end(&peers[i]);
}

uint64_t share_own_time(struct peer *peer)
{
	peer->word[OWN] = 0;
	count_rounds(peer, 1, 1);
	return peer->word[OWN];
}
