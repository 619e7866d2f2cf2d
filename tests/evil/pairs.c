/* SPDX-License-Identifier: MIT */
/*
 * pairs.c - errors that no argument by itself brings about: of a state that must be made first.
 */
#include <base/string.h>
#include <exos/cap.h>
#include <exos/gate.h>
#include <exos/slot.h>
#include <exos/start.h>
#include "evil.h"

#define CHILDREN 140u           /* more than one call of revoke ends */
#define TABLES   3u             /* for them */

/* A doorbell has the event entry that something else is to post. */
EXO_TEST(evil_entries_that_others_have, ALL)
{
	exo_slot bell, pci, nic;

	must(evil_make());
	bell = (exo_slot)exo_doorbell(guest_claim("env"), guest_sid(), EVIL_ENTRY, EXO_R_NOTIFY);
	must((int64_t)bell > 0);
	nic = evil.claim[EXO_KIND_NIC];
	if (nic)
		expect_error(exo_nic_bind(evil.claim[EXO_KIND_PACKETS], nic, EVIL_ENTRY), ROOM);
	pci = evil.claim[EXO_KIND_PCI];
	if (pci && (evil_function(pci)->flags & EXO_PCI_DMA)) {
		exo_slot space = guest_retype(evil.frames.slot, evil.frames.lo + 112,
					      EXO_KIND_SPACE, EXO_SPACE_DEVICE);

		expect_error(exo_pci_bind(pci, space, EVIL_ENTRY), ROOM);
	}
	if (pci && evil_function(pci)->vectors) {
		bool safe = evil_function(pci)->flags & (EXO_PCI_IRQ_SAFE | EXO_PCI_UNSAFE);

		expect_eq(exo_pci_vector(pci, 0, EVIL_ENTRY), safe ? -EXO_E_ROOM : -EXO_E_ABSENT);
	}
	expect_error(exo_irq_bind(evil.claim[EXO_KIND_IRQ], EVIL_ENTRY), ROOM);
	expect_eq(exos_cap_drop(bell), 0);
	expect_eq(exo_irq_bind(evil.claim[EXO_KIND_IRQ], EVIL_ENTRY), 0);
	if (nic)
		expect_eq(exo_nic_bind(evil.claim[EXO_KIND_PACKETS], nic, EVIL_ENTRY + 1), 0);
	evil_end();
}

EXO_TEST(evil_interrupts_given_on, ALL)
{
	exo_slot irq, child;

	must(evil_make());
	irq = evil.claim[EXO_KIND_IRQ];
	must((child = guest_narrow(irq, 0, 0, EXO_R_CONTROL)) != 0);
	expect_error(exo_irq_bind(irq, EVIL_ENTRY), SPLIT);
	expect_eq(exo_irq_bind(child, EVIL_ENTRY), 0);
	expect_eq(exos_cap_drop(child), 0);
	expect_eq(exo_irq_bind(irq, EVIL_ENTRY), 0);
	evil_end();
}

/* Each table lies in the one before; where that ends is told, and nothing is made. */
EXO_TEST(evil_tables_within_tables, SHORT)
{
	exo_slot env = guest_claim("env");
	struct guest_frames f;
	int64_t table = 0;
	uint64_t pfn;

	must_eq(guest_frames_make(&f, 64), 0);
	for (pfn = f.lo; pfn < f.hi; pfn++) {
		uint64_t last = (pfn - 1) * EXO_SLOTS_PER_FRAME;

		table = exo_retype(f.slot, pfn == f.lo ? guest_sid() : (exo_sid)last, pfn,
				   EXO_KIND_TABLE, env);
		if (table <= 0)
			break;
	}
	expect_error(table, ROOM);
	expect(pfn > f.lo + 2);
	expect_eq(guest_use(pfn), EXO_USE_MEMORY);
	expect_eq(exos_cap_revoke(f.slot), 0);
	guest_frames_end(&f);
}

/* --- a chain of servers, each inside the one before --- */

#define CHAIN 70u

static struct peer chain[CHAIN];
static exo_slot next_gate[CHAIN];
static unsigned depth;
static int64_t deepest;

static void serve_by_the_next(struct peer_gate_frame *frame)
{
	struct exos_gate_message m = { .cap = 0 };
	unsigned at = depth++;

	frame->rsi = 0;
	frame->rdi = 0;
	if (at + 1 >= CHAIN)
		return;
	deepest = exos_gate_call_once(next_gate[at], &m);
	frame->rdi = deepest < 0 ? 0 : (uint64_t)deepest + 1;
}

static void be_a_server(struct peer *peer)
{
	peer->page->gate_open = peer->sid + 5;
	for (;;)
		exo_env_wait(peer->page->event_head, 0);
}

static bool make_server(struct peer *peer, peer_service *service)
{
	if (!expect_eq(peer_make(peer), 0))
		return false;
	peer_serve(peer, service);
	if (!expect_eq(peer_start(peer, be_a_server, 0), 0))
		return false;
	while (!exo_env_yield(peer->env))       /* until it waits, and can be lent no more */
		continue;
	return true;
}

EXO_TEST(evil_gates_within_gates, LONG)
{
	struct exos_gate_message m = { .cap = 0 };
	int64_t gate = 0, result;

	for (unsigned i = CHAIN; i--;) {
		must(make_server(&chain[i], serve_by_the_next));
		if (i + 1 < CHAIN)      /* made in the test's table, called out of the peer's */
			next_gate[i] = (exo_slot)peer_give(&chain[i], 7, (exo_slot)gate,
							   EXO_R_CALL);
		gate = exo_gate_make(chain[i].env, guest_sid(), (uint64_t)peer_gate, 1);
		must(gate > 0);
	}
	result = exos_gate_call_once((exo_slot)gate, &m);
	expect(result > 10);            /* so many were inside before one was refused */
	expect(depth < CHAIN);
	for (unsigned i = 0; i < CHAIN; i++)
		peer_end(&chain[i]);
}

/* --- what a server may not pass back --- */

static struct peer server;
static struct { exo_slot plain, split, shared, frozen, irq; } held;    /* in the server's table */
static exo_sid more_slots;      /* the first of a table frame that was added to its own */
static struct exo_env_page *caller;
static int64_t passing[6], waiting;

static int64_t pass(exo_slot cap)
{
	return pair_count(EXO_CALL_gate_return, insn_call2(EXO_CALL_gate_return, 0, cap));
}

static void serve_wrong_claims(struct peer_gate_frame *frame)
{
	frame->rsi = 0;
	frame->rdi = 0;
	passing[0] = pass(held.plain ^ 5ull << 40);
	passing[1] = pass(held.split);
	passing[2] = pass(held.shared);
	passing[3] = pass(held.irq);
	passing[4] = pass(held.frozen);
	caller->gate_open = 0;
	passing[5] = pass(held.plain);
	waiting = exo_env_wait_until(1);
}

/* Put its claims into the states in which they cannot be given whole. */
static bool spoil(const struct peer *peer)
{
	uint64_t pfn = peer->slots[exo_slot_sid(held.split) - peer->sid].lo;
	bool good = exo_cap_narrow(held.split, peer->sid + 20, pfn, pfn + 1, EXO_R_READ) > 0;

	good &= exo_cap_narrow(held.shared, peer->sid + 21, pfn + 1, pfn + 2,
			       EXO_R_READ | EXO_SHARE) > 0;
	good &= exo_irq_bind(held.irq, EVIL_ENTRY) == 0;
	for (unsigned i = 0; i < CHILDREN; i++)
		good &= exo_cap_narrow(held.frozen, more_slots + i, pfn + 2, pfn + 3,
				       EXO_R_READ | EXO_SHARE) > 0;
	return good && exo_cap_revoke(held.frozen) == EXO_MORE;
}

static void be_a_wrong_server(struct peer *peer)
{
	peer->word[1] = 1 + spoil(peer);
	be_a_server(peer);
}

/* A frame of its own for the server. */
static exo_slot piece(const struct guest_frames *f, unsigned index)
{
	exo_slot part = guest_narrow(f->slot, f->lo + index, f->lo + index + 1, GUEST_RW);

	return part ? (exo_slot)peer_give(&server, 10 + index, part, GUEST_RW) : 0;
}

static bool make_wrong_server(const struct guest_frames *f, exo_slot irq)
{
	if (!expect_eq(peer_make(&server), 0))
		return false;
	held.split = piece(f, 0);
	held.shared = piece(f, 1);
	held.frozen = piece(f, 2);
	held.plain = piece(f, 3);
	held.irq = (exo_slot)peer_give(&server, 16, irq, EXO_R_CONTROL);
	for (unsigned i = 4; i < 4 + TABLES; i++)
		if (!guest_retype(f->slot, f->lo + i, EXO_KIND_TABLE, server.env))
			return false;
	more_slots = (exo_sid)((f->lo + 4) * EXO_SLOTS_PER_FRAME);
	peer_serve(&server, serve_wrong_claims);
	if (!expect_eq(peer_start(&server, be_a_wrong_server, 0), 0))
		return false;
	while (!exo_env_yield(server.env))
		continue;
	return expect_eq(server.word[1], 2);
}

EXO_TEST(evil_servers_pass_only_what_they_may, IRQ)
{
	static const int expected[] = { EXO_E_STALE, EXO_E_SPLIT, EXO_E_SHARED, EXO_E_MAPPED,
					EXO_E_FROZEN, EXO_E_SLOT };
	struct exos_gate_message m = { .cap = 0 };
	exo_slot irq = guest_narrow(guest_claim("irq"), 0, 0, EXO_R_CONTROL);
	struct guest_frames f;
	int64_t gate;

	must_eq(guest_frames_make(&f, 4 + TABLES), 0);
	must(irq && make_wrong_server(&f, irq));
	gate = exo_gate_make(server.env, guest_sid(), (uint64_t)peer_gate, 1);
	must(gate > 0);
	caller = exos_page();
	caller->gate_open = guest_sid();
	expect_eq(exos_gate_call_once((exo_slot)gate, &m), 0);
	for (unsigned i = 0; i < 6; i++)
		expect_eq(passing[i], -expected[i]);
	expect_error(waiting, BUSY);
	expect_eq(exos_cap_revoke(f.slot), 0);
	expect_eq(exos_cap_end(irq), 0);
	peer_end(&server);
	guest_frames_end(&f);
}
