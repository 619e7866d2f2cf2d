/* SPDX-License-Identifier: MIT */
/*
 * storm.c - devices of one environment that interrupt as fast as they can, beside others that turn.
 *
 * All interrupts of programs come to the first CPU.  Two environments share it half and half; the
 * driver runs on another, so that it need not wait for a turn to take them.
 */
#include <exo/machine.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/start.h>
#include <exos/time.h>

#include "card.h"
#include "share.h"

#define TRIES 8u

/* Words of the one that drives the clock. */
enum {
	CLOCK_IRQ = SHARE_WORDS, CLOCK_PORTS,   /* in: claims */
	CLOCK_LOUD,                             /* in: is it told of them? */
	TAKEN,                                  /* its interrupts */
};

/* 45 of 50 parts.  The host takes time too, now and then: it need not be so every time. */
static bool keeps_enough(uint64_t before, uint64_t after)
{
	return after * 50 > before * 45;
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

/*
 * Let the clock interrupt as fast as it can, 8,192 times a second, and take each at once; or let
 * it, and never be told, so that the host has as much to do.
 */
static void drive_clock(struct peer *peer)
{
	exo_slot ports = peer->word[CLOCK_PORTS];

	if (peer->word[CLOCK_LOUD])
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
			const struct exos_grant *irq, bool loud)
{
	if (!expect_eq(peer_make(peer), 0) || !expect_eq(peer_slots(peer, cpu, 0, 8), 0))
		return false;
	peer->word[CLOCK_LOUD] = loud;
	peer->word[CLOCK_IRQ] = (uint64_t)peer_give(peer, 0, irq->slot, EXO_R_CONTROL);
	peer->word[CLOCK_PORTS] = (uint64_t)peer_give(peer, 1, ports->slot, EXO_R_CONTROL);
	return expect((int64_t)peer->word[CLOCK_IRQ] > 0 && (int64_t)peer->word[CLOCK_PORTS] > 0) &&
	       expect_eq(peer_start(peer, drive_clock, 0), 0);
}

EXO_TEST(interrupts_of_one_leave_others_their_time, STORM)
{
	static struct peer peers[2], driver;
	const struct exos_grant *ports = grant_over("port", 0x71), *irq = grant_over("irq", 8);
	uint64_t before = 0, after = 0;
	uint8_t a, b;

	must(ports && irq);
	a = clock_get(ports->slot, 0x0a);
	b = clock_get(ports->slot, 0x0b);
	must(share_turn(peers, 2, 0, "ab", EXO_VECTOR_SLOTS, share_spend));
	for (unsigned try = 0; try < TRIES && !keeps_enough(before, after); try++) {
		must(clock_start(&driver, 1, ports, irq, false));
		before = share_own_time(&peers[0]);
		peer_end(&driver);
		must(clock_start(&driver, 1, ports, irq, true));
		after = share_own_time(&peers[0]);
		expect(driver.word[TAKEN] >= 20);
		peer_end(&driver);
	}
	if (!keeps_enough(before, after))
		guest_fail("half of the slots were worth %lu, beside interrupts %lu", before,
			   after);
	clock_set(ports->slot, 0x0a, a);
	clock_set(ports->slot, 0x0b, b);
	clock_get(ports->slot, 0x0c);
	for (unsigned i = 0; i < 2; i++)
		peer_end(&peers[i]);
}

/* The test itself in all slots that it has to give on a CPU; or not any more. */
static void run_on(uint32_t cpu, bool on)
{
	const struct exos_grant *time = peer_time(cpu);

	for (uint64_t slot = time->lo; slot < time->hi; slot++)
		expect_eq(exo_slot_set(time->slot, slot, on ? guest_claim("env") : 0), 0);
	while (on && exos_page()->cpu != cpu)
		exo_env_yield(0);
}

static struct exos_pci card;

/*
 * What the peer has in a round, in its own slots, while the card interrupts, or is told to and may
 * not (so that the host has as much to do); how often it did.
 */
static uint64_t time_beside(struct peer *peer, volatile uint32_t *regs, bool may,
			    uint64_t *interrupts)
{
	uint64_t end = exos_tsc() + share_round_tsc(), before = card.info->interrupts;

	regs[may ? CARD_IMS : CARD_IMC] = CARD_CAUSE;
	peer->word[OWN] = 0;
	__atomic_store_n(&peer->word[GO], 1, __ATOMIC_RELEASE);
	while (exos_tsc() < end) {
		card_raise(regs);
		exos_pci_ack(&card, 1);
	}
	__atomic_store_n(&peer->word[GO], 0, __ATOMIC_RELEASE);
	*interrupts = card.info->interrupts - before;
	return peer->word[OWN];
}

EXO_TEST(pci_interrupts_of_one_leave_others_their_time, PCI_SMP)
{
	static struct peer peers[2];
	uint32_t event = exos_event_alloc();
	volatile uint32_t *regs = card_open(&card, true);
	uint64_t before = 0, after = 0, interrupts = 0, most = 0;

	must(regs != NULL && card_start(&card, regs, event));
	must(share_turn(peers, 2, 0, "ab", EXO_VECTOR_SLOTS, share_spend));
	run_on(1, true);
	for (unsigned try = 0; try < TRIES && !keeps_enough(before, after); try++) {
		before = time_beside(&peers[0], regs, false, &interrupts);
		after = time_beside(&peers[0], regs, true, &interrupts);
		most = interrupts > most ? interrupts : most;
	}
	if (!keeps_enough(before, after))
		guest_fail("half of the slots were worth %lu, beside %lu interrupts %lu", before,
			   interrupts, after);
	expect(most >= 20);
	/* It was masked, and it is not left so. */
	exos_event_take(event);
	exos_pci_ack(&card, 1);
	exos_event_take(event);
	exos_pci_ack(&card, 1);
	guest_pause_ms(50);
	exos_event_take(event);
	exos_pci_ack(&card, 1);
	card_raise(regs);
	expect(exos_event_wait(event, exos_deadline(2000000000)) > 0);
	for (unsigned i = 0; i < 2; i++)
		peer_end(&peers[i]);
	run_on(1, false);
	exos_pci_unmap(regs, CARD_REGS_BYTES);
	expect_eq(exos_pci_close(&card), 0);
	exos_event_free(event);
}
