/* SPDX-License-Identifier: MIT */
/*
 * fuzz_group.c - a group of actors: made, given what the warden divides, started, ended.
 *
 * Invariant: what groups are given does not overlap, so that a model of one need not know of the
 * others.
 */
#include <base/util.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include "fuzz.h"

#define PIECES 88u              /* frames of each actor but the warden: see fuzz_revoke.c */
#define WARDEN_SLOTS 8u         /* that it divides */
#define WAIT_NS 60000000000ull

/* The n-th run of slots of a CPU, or NULL. */
static const struct exos_grant *run_of(uint32_t cpu, unsigned n)
{
	const struct exos_grant *g;

	for (unsigned i = 0; (g = exos_grant("slots", i)); i++)
		if (g->unit == cpu && !n--)
			return g;
	return NULL;
}

/* Is this slot one that a warden divides: of the first of a run? */
static bool warden_has(uint32_t cpu, unsigned run, uint64_t slot)
{
	const struct exos_grant *g = run_of(cpu, run);

	return g && slot >= g->lo && slot < g->lo + WARDEN_SLOTS;
}

bool fuzz_put_on(const struct peer *peer, uint32_t cpu, unsigned count)
{
	static uint64_t used[64];
	const struct exos_grant *g;
	bool all = count == ~0u;

	for (unsigned n = 0; count && (g = run_of(cpu, n)); n++)
		for (uint64_t slot = g->lo; count && slot < g->hi; slot++) {
			if (warden_has(cpu, 0, slot) || (!cpu && warden_has(cpu, 1, slot)) ||
			    used[cpu] >> slot & 1)
				continue;
			used[cpu] |= 1ull << slot;
			count -= exo_slot_set(g->slot, slot, peer->env) == 0;
		}
	return all || expect_eq(count, 0);
}

static void serve(struct peer_gate_frame *frame)
{
	frame->rdi = 1;
	if (frame->rsi)
		while (exo_cap_drop(frame->rsi) == EXO_MORE)
			continue;
	frame->rsi = 0;
}

static void be_the_server(struct peer *peer)
{
	peer->page->gate_open = peer->sid + 5;
	peer->word[1] = 1;
	for (;;)
		exo_env_wait(peer->page->event_head, 0);
}

static void be_an_actor(struct peer *peer)
{
	struct actor *a = (struct actor *)peer;

	while (fuzz_turn_wait(a)) {
		fuzz_act(a);
		fuzz_turn_pass(a->group);
	}
}

/* A cycle, and now and then new pieces for one of the others. */
static void cycle(struct actor *w)
{
	struct group *g = w->group;

	fuzz_cycle(w);
	if (g->warden.cycles % 8 == 0)
		fuzz_equip(w, 1 + (unsigned)(g->warden.cycles / 8 % (g->actors - 1)));
}

static void be_the_warden(struct peer *peer)
{
	struct actor *w = (struct actor *)peer;

	fuzz_warden_start(w);
	for (unsigned i = 1; i < w->group->actors; i++)
		fuzz_equip(w, i);
	peer->word[1] = 1;
	while (fuzz_turn_wait(w)) {
		cycle(w);
		fuzz_turn_pass(w->group);
	}
}

/* --- what the warden gets: claims of ours, each with a parent that stays --- */

static void grant(struct group *g, enum fuzz_slot index, exo_slot claim)
{
	const struct exo_cap *c = exos_cap_look(claim);

	g->given[index] = claim;
	if (c)
		expect(peer_give(&g->actor[0].peer, index, claim, c->rights) > 0);
}

/* Of the first run of slots of its CPU; of the second for the group without turns, on CPU 0. */
static exo_slot some_time(const struct group *g)
{
	const struct exos_grant *time = run_of(g->cpu, !g->ordered);

	return time ? guest_narrow(time->slot, time->lo, time->lo + WARDEN_SLOTS, EXO_R_CONTROL)
		    : 0;
}

static exo_slot some_blocks(const struct group *g)
{
	const struct exos_grant *disk = exos_grant("disk", 0);
	uint64_t lo = disk ? disk->lo + g->number * FUZZ_GROUP_BLOCKS : 0;

	return disk ? guest_narrow(disk->slot, lo, lo + FUZZ_GROUP_BLOCKS, GUEST_RW) : 0;
}

static exo_slot clock_ports(void)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("port", n)); n++)
		if (g->lo <= 0x70 && g->hi >= 0x72)
			return guest_narrow(g->slot, 0x70, 0x72, EXO_R_CONTROL);
	return 0;
}

static exo_slot an_irq(void)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant_at(n)); n++)
		if (g->kind == EXO_KIND_IRQ)
			return guest_narrow(g->slot, 0, 0, EXO_R_CONTROL);
	return 0;
}

/* A function that needs no time to reset: without interrupts, with registers of a page or more. */
static exo_slot a_function(void)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("pci", n)); n++) {
		const struct exo_pci_info *f = evil_function(g->slot);

		if (f && !f->vectors && f->bar[0].bytes >= EXO_PAGE_SIZE)
			return guest_narrow(g->slot, 0, 0, EXO_R_CONTROL | EXO_R_MAP);
	}
	return 0;
}

/* Packets of an ethertype for experiments: the victim's are ARP. */
static exo_slot some_packets(struct group *g)
{
	static struct exo_nic_spec spec;
	uint8_t *mask = (uint8_t *)spec.receive.mask, *value = (uint8_t *)spec.receive.value;
	exo_slot filter;

	if (!exos_grant("nic", 0) || guest_frames_make(&g->filter, 1))
		return 0;
	filter = guest_retype(g->filter.slot, g->filter.lo, EXO_KIND_FILTER, 0);
	mask[12] = mask[13] = 0xff;
	value[12] = 0x88;
	value[13] = (uint8_t)(0xb5 + g->number);
	spec.send = spec.receive;
	return (exo_slot)exo_nic_narrow(guest_claim("nic"), guest_sid(), filter, (uint64_t)&spec,
					GUEST_RW);
}

static void grant_others(struct group *g, struct actor *a, exo_slot gate)
{
	peer_give(&a->peer, HAS_TRACE, guest_claim("trace"), EXO_R_READ);
	peer_give(&a->peer, HAS_GATE, gate, EXO_R_CALL);
	peer_give(&a->peer, HAS_MAIN, guest_claim("env"), EXO_R_RUN);
	for (unsigned n = 0; n < g->actors; n++)
		peer_give(&a->peer, HAS_ENV + n, g->actor[n].peer.env,
			  EXO_R_GIVE | EXO_R_RUN | (n ? EXO_R_NOTIFY : 0));
}

static void grant_all(struct group *g)
{
	exo_slot gate = (exo_slot)exo_gate_make(g->server.env, guest_sid(), (uint64_t)peer_gate, 1);

	g->actor[0].peer.page->open_hi = 0;     /* nobody fills its table */
	expect(peer_give(&g->actor[0].peer, HAS_FRAME, g->arena.slot, GUEST_R_FRAMES) > 0);
	grant(g, HAS_SLOT, some_time(g));
	grant(g, HAS_BLOCK, some_blocks(g));
	grant(g, HAS_NIC, some_packets(g));
	if (!g->number) {       /* there is one each */
		grant(g, HAS_PORT, clock_ports());
		grant(g, HAS_IRQ, an_irq());
		grant(g, HAS_PCI, a_function());
	}
	for (unsigned i = 0; i < g->actors; i++)
		grant_others(g, &g->actor[i], gate);
}

static bool make_actor(struct group *g, unsigned n)
{
	struct actor *a = &g->actor[n];

	if (!expect_eq(peer_make(&a->peer), 0))
		return false;
	a->group = g;
	a->number = n;
	a->random = (fuzz.seed + 1) * 0x9e3779b97f4a7c15ull ^
		    (g->number * 64 + n + 1) * 0x243f6a8885a308d3ull;
	return fuzz_put_on(&a->peer, g->ordered ? g->cpu : n % exos_machine()->cpus, 1);
}

bool fuzz_group_make(struct group *g, unsigned number)
{
	g->number = number;
	g->ordered = number < fuzz.ordered;
	g->cpu = g->ordered ? number : 0;
	g->random = (fuzz.seed + number + 1) * 0x9e3779b97f4a7c15ull | 1;
	g->actors = g->ordered ? fuzz.ordered > 1 ? 3 : 4 :
		    (unsigned)min_u64(exos_machine()->cpus + 1, FUZZ_ACTORS_MAX);
	if (!expect_eq(guest_frames_make(&g->arena, OWN_ALL + (g->actors - 1) * PIECES), 0) ||
	    !expect_eq(peer_make(&g->server), 0))
		return false;
	peer_serve(&g->server, serve);
	if (!fuzz_put_on(&g->server, g->cpu, 1))
		return false;
	for (unsigned i = 0; i < g->actors; i++)
		if (!make_actor(g, i))
			return false;
	grant_all(g);
	return !guest_failures();
}

static bool said(const struct peer *peer)
{
	uint64_t deadline = exos_deadline(WAIT_NS);

	while (!__atomic_load_n(&peer->word[1], __ATOMIC_ACQUIRE) && !fuzz.wrong)
		if (exos_tsc() > deadline || exo_env_yield(0) < 0)
			return expect(false);
	return true;
}

bool fuzz_group_begin(struct group *g)
{
	if (!expect_eq(peer_start(&g->server, be_the_server, 0), 0) || !said(&g->server))
		return false;
	guest_pause_ms(20);             /* it is on its way to wait */
	g->turn = 0;
	return expect_eq(peer_start(&g->actor[0].peer, be_the_warden, 0), 0) &&
	       said(&g->actor[0].peer);
}

bool fuzz_group_start(struct group *g)
{
	for (unsigned i = 1; i < g->actors; i++)
		if (!expect_eq(peer_start(&g->actor[i].peer, be_an_actor, 0), 0))
			return false;
	return true;
}

void fuzz_group_end(struct group *g)
{
	for (unsigned i = 0; i < g->actors; i++)
		while (exo_env_control(g->actor[i].peer.env, EXO_ENV_STOP, 0, 0) == EXO_MORE)
			continue;
	guest_frames_end(&g->arena);
	for (unsigned i = 0; i < HAS_GATE; i++)
		if (g->given[i])
			exos_cap_end(g->given[i]);
	for (unsigned i = 0; i < g->actors; i++)
		peer_end(&g->actor[i].peer);
	peer_end(&g->server);
	if (g->filter.slot)
		guest_frames_end(&g->filter);
}
