/* SPDX-License-Identifier: MIT */
/*
 * nic_trees.c - random trees of NIC claims: narrowed, shared, given on, dropped, revoked, ended.
 *
 * Invariant, looked at after each step: every claim names a filter that is there, whose holder
 * names it too, and that hangs on the filter of the claim above.
 */
#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/space.h>
#include "nic.h"

static struct exo_nic_spec spec;

/*
 * Many filters; claims on them are narrowed, given on, dropped, revoked and ended with their
 * filters, by single pieces, in random order, while rings of some send.
 */
enum { NODES = 240, RINGS = 3, STEPS = 6000 };
static struct node {
	struct guest_frames f;
	exo_slot filter;
	exo_slot claim[3];              /* narrowed; given on; given on again */
} nodes[NODES];

/* Where its filter can be read while there is one. */
#define SEEN_VA 0x300000000000ul
static const struct exo_filter *node_seen(const struct node *n)
{
	return (const void *)(SEEN_VA + (uintptr_t)(n - nodes) * EXO_PAGE_SIZE);
}

static exo_slot node_claim(const struct node *n)
{
	exo_slot c = n->claim[guest_below(3)];

	return c && exos_cap_look(c) ? c : 0;
}

/* Children of one claim name the same byte, so that most are disjoint. */
static void node_narrow(struct node *n, exo_slot from, unsigned at)
{
	uint32_t share = guest_below(6) ? 0 : EXO_SHARE;
	int64_t name;

	memset(&spec, 0, sizeof(spec));
	((uint8_t *)spec.receive.mask)[at] = ((uint8_t *)spec.send.mask)[at] = 0xff;
	((uint8_t *)spec.receive.value)[at] = (uint8_t)guest_below(250);
	((uint8_t *)spec.send.value)[at] = ((uint8_t *)spec.receive.value)[at];
	if (!exos_cap_look(n->filter)) {
		n->filter = guest_retype(n->f.slot, n->f.lo, EXO_KIND_FILTER, 0);
		expect_eq(exos_space_map(&exos_space_own, (uintptr_t)node_seen(n),
		                         guest_claim("trace"), n->f.lo, 1, EXO_R_READ), 0);
	}
	name = exo_nic_narrow(from, guest_sid(), n->filter, (uintptr_t)&spec, GUEST_RW | share);
	if (name > 0)
		n->claim[0] = (exo_slot)name;
}

static void node_give(struct node *n)
{
	for (unsigned i = 1; i < 3; i++) {
		int64_t name;

		if (!exos_cap_look(n->claim[i - 1]) || exos_cap_look(n->claim[i]))
			continue;
		name = exo_cap_narrow(n->claim[i - 1], guest_sid(), 0, 0, GUEST_RW);
		n->claim[i] = name > 0 ? (exo_slot)name : 0;
		return;
	}
}

static void random_step(struct ring ring[RINGS])
{
	unsigned above = (unsigned)guest_below(guest_below(NODES / 8) + 1);
	struct node *n = &nodes[guest_below(NODES)];
	exo_slot c = node_claim(n), from = node_claim(&nodes[above]);
	struct ring *r = &ring[guest_below(RINGS)];

	switch (guest_below(20)) {
	case 0:
		if (c && guest_below(6) == 0)
			exo_cap_revoke(c);
		break;
	case 1:
		if (guest_below(6) == 0 && exos_cap_look(n->filter))
			exo_cap_drop(n->filter);
		break;
	case 2:
		if (c)
			exo_cap_drop(c);
		break;
	case 4:
	case 5:
		node_give(n);
		break;
	case 6:
		if (c)
			exo_nic_bind(r->ring, c, r->entry);
		break;
	case 7:
		while (r->page->tx_tail - r->page->tx_done < 40)
			ring_part(r, 0, 0, 100, guest_below(4) ? 0 : EXO_TX_MORE);
		ring_kick(r);
		break;
	default:
		if (from && guest_below(8))
			node_narrow(n, from, 64 + above % 60);
		else
			node_narrow(n, guest_claim("nic"), 63);
	}
}

/* The filter is there, is held by a claim that names it, and hangs where the claim does. */
static bool claim_is_sound(const struct node *n, const struct exo_cap *c)
{
	const struct exo_filter *seen = node_seen(n);
	const struct exo_cap *parent = exos_cap_at(c->parent), *holder;

	if (guest_use(c->lo) != EXO_USE_FILTER || !parent || !seen->holder)
		return false;
	holder = exos_cap_at(seen->holder);
	return holder && holder->kind == EXO_KIND_NIC && holder->lo == c->lo &&
	       (parent->lo == c->lo || parent->lo == seen->parent);
}

EXO_TEST(nic_random_trees_keep_their_filters, NIC)
{
	static struct ring ring[RINGS];
	exo_slot nic = guest_claim("nic"), claim;
	unsigned most = 0;

	must((claim = nic_arp_claim(nic, 54)) != 0);
	for (unsigned i = 0; i < RINGS; i++)
		must_eq(ring_open(&ring[i], claim), 0);
	must_eq(exos_cap_end(claim), 0);
	must_eq(exos_space_prepare(&exos_space_own, SEEN_VA, NODES), 0);
	for (unsigned i = 0; i < NODES; i++)
		must_eq(guest_frames_make(&nodes[i].f, 1), 0);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned live = 0;

		random_step(ring);
		for (unsigned i = 0; i < 3 * NODES; i++) {
			const struct exo_cap *c = exos_cap_look(nodes[i / 3].claim[i % 3]);

			live += c != NULL;
			if (c && !claim_is_sound(&nodes[i / 3], c))
				guest_fail("step %u: claim %u of node %u and its filter do not "
					   "agree", step, i % 3, i / 3);
		}
		most = live > most ? live : most;
		if (step % 16 == 0)
			exos_slot_sweep();
		must_eq(guest_failures(), 0);
	}
	if (most <= 100)
		guest_fail("only %u claims at a time", most);
	for (unsigned i = 0; i < NODES; i++) {
		guest_frames_end(&nodes[i].f);
		for (unsigned n = 0; n < 3; n++)
			expect(!nodes[i].claim[n] || !exos_cap_look(nodes[i].claim[n]));
	}
	/* All of it is free again. */
	must((claim = nic_arp_claim(nic, 54)) != 0);
	exos_slot_sweep();
	expect_eq(exo_nic_bind(ring[0].ring, claim, ring[0].entry), 0);
	for (unsigned i = 0; i < RINGS; i++)
		ring_close(&ring[i]);
}
