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
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "peer.h"
#include "x86/insn.h"

#define HERE    (exos_page()->cpu)
#define TRIES   8

/* Words of a peer that turns. */
enum {
	OWN,            /* time in slots that name it */
	OTHER,          /* time in slots that name others of our part of the vector */
	VECTOR,         /* in: its CPU's struct exo_vector */
	LO, HI,         /* in: our part of it */
	GAP,            /* in: longer than this between two looks, and somebody else had the time */
	GO,             /* in: 1 while it shall count */
	WAKES,          /* of the one that waits */
	CLOCK_IRQ, CLOCK_PORTS,     /* in: claims of the one that drives the clock */
	TAKEN,          /* its interrupts */
};

static const struct exo_vector *vector_of(uint32_t cpu)
{
	return exos_machine_at(exos_machine()->vectors_off + cpu * EXO_PAGE_SIZE);
}

static void spend(struct peer *peer)
{
	const volatile struct exo_vector *v = (const void *)peer->word[VECTOR];
	volatile uint64_t *word = peer->word;
	uint64_t last = exos_tsc(), me = peer_pfn(peer);

	for (;;) {
		uint64_t now = exos_tsc(), slot = v->current, took = now - last;

		last = now;
		if (took > word[GAP] || !word[GO] || slot < word[LO] || slot >= word[HI])
			continue;
		word[v->slot[slot].env == me ? OWN : OTHER] += took;
	}
}

/* A thousand times a second. */
static void wake_often(struct peer *peer)
{
	uint64_t step = exos_machine()->tsc_hz / 1000, next = exos_tsc();

	for (;;) {
		next = max_u64(next + step, exos_tsc());
		exo_env_wait(peer->page->event_head, next);
		((volatile uint64_t *)peer->word)[WAKES]++;
	}
}

/* Peers that turn, in the slots that `pattern` says: "aab" names peer 0, 0, 1 and so on again. */
static bool turn_by(struct peer *peers, unsigned count, uint32_t cpu, const char *pattern,
		    peer_main *last)
{
	const struct exos_grant *time = peer_time(cpu);
	uint64_t length = 0, hi;

	if (!expect(time != NULL))
		return false;
	while (pattern[length])
		length++;
	hi = time->lo + (time->hi - time->lo) / length * length;
	if (!expect(hi > time->lo))
		return false;
	for (unsigned i = 0; i < count; i++) {
		struct peer *p = &peers[i];

		if (!expect_eq(peer_make(p), 0))
			return false;
		p->word[VECTOR] = (uint64_t)vector_of(cpu);
		p->word[LO] = time->lo;
		p->word[HI] = hi;
		p->word[GAP] = exos_machine()->tsc_hz / (guest_icount() ? 10000 : 20000);
		for (uint64_t slot = time->lo; slot < hi; slot++)
			if (pattern[(slot - time->lo) % length] == (char)('a' + i))
				expect_eq(exo_slot_set(time->slot, slot, p->env), 0);
	}
	for (unsigned i = 0; i < count; i++)
		if (!expect_eq(peer_start(&peers[i], i + 1 == count ? last : spend, 0), 0))
			return false;
	return true;
}

/* Count over so many whole rounds of the vector. */
static void count_rounds(struct peer *peers, unsigned count, uint64_t rounds)
{
	uint64_t round = EXO_VECTOR_SLOTS * exos_machine()->slice_tsc, end;

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
 * Shares of three peers in their own slots must be 3:2:1 of what all three got there, but for so
 * many thousandths.  Where the clock is real the host takes what it likes of each: there they must
 * only have run.
 */
static void shares_check(const struct peer *peers, uint64_t thousandths)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < 3; i++)
		sum += peers[i].word[OWN];
	if (!expect(sum > exos_machine()->slice_tsc))
		return;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t is = peers[i].word[OWN] * 1000 / sum, due = 1000 * (3 - i) / 6;
		uint64_t off = is > due ? is - due : due - is;

		expect(peers[i].word[OWN] > 0);
		if (guest_icount() && off > thousandths)
			guest_fail("environment %u got %lu thousandths, its share is %lu", i, is,
				   due);
	}
}

EXO_TEST(shares_are_as_slots, LONG)
{
	static struct peer peers[3];

	must(turn_by(peers, 3, HERE, "aaabbc", spend));
	count_rounds(peers, 3, 3);
	shares_check(peers, 9);
	for (unsigned i = 0; i < 3; i++)
		peer_end(&peers[i]);
}

EXO_TEST(shares_hold_while_another_wakes_often, LONG)
{
	static struct peer peers[4];
	uint64_t wakes;

	must(turn_by(peers, 4, HERE, "aaabbcd", wake_often));
	count_rounds(peers, 3, 3);
	wakes = peers[3].word[WAKES];
	shares_check(peers, 29);
	/* In each of its slots it waits about ten times, and lends its time meanwhile. */
	expect(wakes >= 20);
	for (unsigned i = 0; i < 3; i++)
		expect(peers[i].word[OTHER] < peers[i].word[OWN]);
	for (unsigned i = 0; i < 4; i++)
		peer_end(&peers[i]);
}

/* Always asks for a little more time, and never yields for it. */
static void spend_critical(struct peer *peer)
{
	peer->page->critical = 1;
	spend(peer);
}

EXO_TEST(time_put_off_is_paid_for, LONG)
{
	static struct peer peers[2];
	uint64_t greedy, modest;

	must(turn_by(peers, 2, HERE, "ab", spend_critical));
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

/* The claim of this kind that covers `number`, or NULL. */
static const struct exos_grant *grant_over(const char *name, uint64_t number)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant(name, n)); n++)
		if (g->lo <= number && number < g->hi)
			return g;
	return NULL;
}

static struct exo_port_op port_op(uint16_t port, uint8_t op, uint32_t value)
{
	return (struct exo_port_op){ .port = port, .size = 1, .op = op, .value = value };
}

/* A register of the real-time clock (Motorola MC146818A): write it; or read it. */
static void clock_set(exo_slot ports, uint8_t reg, uint8_t value)
{
	struct exo_port_op op[] = { port_op(0x70, EXO_PORT_OUT, reg),
				    port_op(0x71, EXO_PORT_OUT, value) };

	exo_port_io(ports, (uint64_t)op, 2);
}

static uint8_t clock_get(exo_slot ports, uint8_t reg)
{
	struct exo_port_op op[] = { port_op(0x70, EXO_PORT_OUT, reg),
				    port_op(0x71, EXO_PORT_IN, 0) };

	exo_port_io(ports, (uint64_t)op, 2);
	return (uint8_t)op[1].value;
}

/* Let the clock interrupt as fast as it can, 8,192 times a second, and take each at once. */
static void drive_clock(struct peer *peer)
{
	exo_slot ports = peer->word[CLOCK_PORTS];

	exo_irq_bind(peer->word[CLOCK_IRQ], 1);
	clock_set(ports, 0x0a, 0x23);
	clock_set(ports, 0x0b, 0x42);
	for (;;) {
		((volatile uint64_t *)peer->word)[TAKEN] +=
			__atomic_exchange_n(&peer->page->event_count[1], 0, __ATOMIC_ACQ_REL);
		clock_get(ports, 0x0c);
		exo_irq_ack(peer->word[CLOCK_IRQ]);
	}
}

/* Start the driver of the clock on a CPU. */
static bool clock_start(struct peer *peer, uint32_t cpu, const struct exos_grant *ports,
			const struct exos_grant *irq)
{
	if (!expect_eq(peer_make(peer), 0) || !expect_eq(peer_slots(peer, cpu, 0, 8), 0))
		return false;
	peer->word[CLOCK_IRQ] = (uint64_t)peer_give(peer, 0, irq->slot, EXO_R_CONTROL);
	peer->word[CLOCK_PORTS] = (uint64_t)peer_give(peer, 1, ports->slot, EXO_R_CONTROL);
	return expect((int64_t)peer->word[CLOCK_IRQ] > 0 && (int64_t)peer->word[CLOCK_PORTS] > 0) &&
	       expect_eq(peer_start(peer, drive_clock, 0), 0);
}

/* What it has in a round of the vector, in its own slots. */
static uint64_t own_time(struct peer *peer)
{
	peer->word[OWN] = 0;
	count_rounds(peer, 1, 1);
	return peer->word[OWN];
}

/*
 * Interrupts come to the first CPU.  Two environments share it half and half; a third makes the
 * clock interrupt it, from another CPU, so that it need not wait for a turn here to take them.
 */
EXO_TEST(interrupts_of_one_leave_others_their_time, STORM)
{
	static struct peer peers[2], driver;
	const struct exos_grant *ports = grant_over("port", 0x71), *irq = grant_over("irq", 8);
	uint64_t before = 0, after = 0;
	uint8_t a, b;

	must(ports && irq);
	a = clock_get(ports->slot, 0x0a);
	b = clock_get(ports->slot, 0x0b);
	must(turn_by(peers, 2, 0, "ab", spend));
	/* 45 of 50 parts.  The host takes time too, now and then: it need not do so every time. */
	for (unsigned try = 0; try < TRIES && after * 50 <= before * 45; try++) {
		before = own_time(&peers[0]);
		must(clock_start(&driver, 1, ports, irq));
		after = own_time(&peers[0]);
		expect(driver.word[TAKEN] >= 20);
		peer_end(&driver);
	}
	if (after * 50 <= before * 45)
		guest_fail("half of the slots were worth %lu, beside interrupts %lu", before,
			   after);
	clock_set(ports->slot, 0x0a, a);
	clock_set(ports->slot, 0x0b, b);
	clock_get(ports->slot, 0x0c);
	for (unsigned i = 0; i < 2; i++)
		peer_end(&peers[i]);
}
