/* SPDX-License-Identifier: MIT */
/*
 * world.c - what a hostile program holds before it begins: a claim of every kind, and two others.
 *
 * Invariant: claims of kinds that are made of memory hang on evil.frames, all others on a claim
 * that the test was granted: revoking what stands above ends them.
 */
#include <base/string.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include "evil.h"

struct evil_world evil;

/* Frames of evil.frames, from its start: OBJECTS for one object of each kind, then SCRATCH. */
#define OBJECTS 80u

/* The grant that a kind which no memory is made into comes from. */
static const struct exos_grant *source(enum exo_kind kind)
{
	static const struct { enum exo_kind kind; const char *name; } names[] = {
		{ EXO_KIND_SLOT, "slots" }, { EXO_KIND_BLOCK, "disk" }, { EXO_KIND_NIC, "nic" },
		{ EXO_KIND_TRACE, "trace" },
	};
	const struct exos_grant *g;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].kind == kind)
			return exos_grant(names[i].name, 0);
	/* A function with interrupts, if there is one. */
	for (unsigned n = 0; kind == EXO_KIND_PCI && (g = exos_grant_at(n)); n++)
		if (g->kind == kind && evil_function(g->slot)->vectors > 1)
			return g;
	for (unsigned n = 0; (g = exos_grant_at(n)); n++)
		if (g->kind == kind && strcmp(g->name, "console") && strcmp(g->name, "parent"))
			return g;
	return NULL;
}

static exo_slot narrowed(exo_slot from, uint32_t rights)
{
	const struct exo_cap *c = exos_cap_look(from);
	bool range = c && (c->kind == EXO_KIND_FRAME || c->kind == EXO_KIND_SLOT ||
			   c->kind == EXO_KIND_BLOCK || c->kind == EXO_KIND_PORT);
	int64_t made;

	if (!c)
		return 0;
	made = exo_cap_narrow(from, guest_sid(), range ? c->lo : 0, range ? c->hi : 0,
			      rights & c->rights);
	return made > 0 ? (exo_slot)made : 0;
}

exo_slot evil_fresh(enum exo_kind kind, uint32_t rights)
{
	uint64_t pfn = evil.frames.lo + OBJECTS;
	exo_slot from = evil.claim[kind];

	if (kind == EXO_KIND_FRAME)
		return guest_narrow(evil.frames.slot, pfn, pfn + 8, rights & GUEST_R_FRAMES);
	return from ? narrowed(from, rights) : 0;
}

/* Objects, each in eight frames of its own. */
static void make_objects(void)
{
	static const struct { enum exo_kind kind; uint64_t arg; } objects[] = {
		{ EXO_KIND_PT, 1 }, { EXO_KIND_SPACE, 0 }, { EXO_KIND_ENV, 0 },
		{ EXO_KIND_RING, 0 }, { EXO_KIND_FILTER, 0 }, { EXO_KIND_PACKETS, 1 },
		{ EXO_KIND_PROG, 32 },
	};
	uint64_t pfn = evil.frames.lo;

	for (unsigned i = 0; i < sizeof(objects) / sizeof(objects[0]); i++, pfn += 8)
		evil.claim[objects[i].kind] =
			guest_retype(evil.frames.slot, pfn, objects[i].kind, objects[i].arg);
	/* Not on every machine. */
	if (exos_cap_retype(evil.frames.slot, pfn, EXO_KIND_VCPU, 0, &evil.claim[EXO_KIND_VCPU]))
		evil.claim[EXO_KIND_VCPU] = 0;
	pfn += 8;
	evil.claim[EXO_KIND_TABLE] = guest_retype(evil.frames.slot, pfn, EXO_KIND_TABLE,
						  evil.claim[EXO_KIND_ENV]);
	evil.claim[EXO_KIND_FRAME] =
		guest_narrow(evil.frames.slot, pfn + 1, pfn + 8, GUEST_R_FRAMES);
	evil.claim[EXO_KIND_GATE] = (exo_slot)exo_gate_make(evil.claim[EXO_KIND_ENV], guest_sid(),
							     (uint64_t)peer_gate, 7);
}

static void make_granted(void)
{
	static const enum exo_kind kinds[] = { EXO_KIND_SLOT, EXO_KIND_BLOCK, EXO_KIND_IRQ,
					       EXO_KIND_PORT, EXO_KIND_NIC, EXO_KIND_TRACE,
					       EXO_KIND_PCI };

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct exos_grant *g = source(kinds[i]);

		evil.claim[kinds[i]] = g ? narrowed(g->slot, EXO_R_ALL) : 0;
	}
}

static void serve(struct peer_gate_frame *frame)
{
	frame->rdi = frame->word[0] + 1;
	if (frame->rsi)
		exo_cap_drop(frame->rsi);
	frame->rsi = 0;
}

static void be_the_server(struct peer *peer)
{
	peer->page->gate_open = peer->sid + 5;
	for (;;)
		exo_env_wait(peer->page->event_head, 0);
}

static int make_server(void)
{
	int err = peer_make(&evil.server);

	if (err < 0)
		return err;
	peer_serve(&evil.server, serve);
	if ((err = peer_start(&evil.server, be_the_server, 0)) < 0)
		return err;
	/* It has no time of its own: lent ours until it waits, when it can be lent no more. */
	while (!exo_env_yield(evil.server.env))
		continue;
	return 0;
}

bool evil_make(void)
{
	memset(&evil, 0, sizeof(evil));
	if (!expect_eq(guest_frames_make(&evil.frames, EVIL_FRAMES), 0) ||
	    !expect_eq(peer_make(&evil.peer), 0) || !expect_eq(make_server(), 0))
		return false;
	make_objects();
	make_granted();
	for (unsigned kind = 1; kind < EXO_KIND_COUNT; kind++)
		evil.claims += evil.claim[kind] != 0;
	return true;
}

/* All that hangs on the claims of the world, and what objects are bound to, goes. */
void evil_clear(void)
{
	const struct exo_cap *irq = exos_cap_look(evil.claim[EXO_KIND_IRQ]);

	if (irq)
		exo_irq_bind(evil.claim[EXO_KIND_IRQ], 0);
	for (unsigned kind = 1; kind < EXO_KIND_COUNT; kind++)
		if (evil.claim[kind])
			exos_cap_revoke(evil.claim[kind]);
	exos_cap_revoke(evil.frames.slot);
	exos_slot_sweep();
	make_objects();
}

void evil_end(void)
{
	for (unsigned kind = 1; kind < EXO_KIND_COUNT; kind++)
		if (evil.claim[kind])
			exos_cap_end(evil.claim[kind]);
	peer_end(&evil.server);
	peer_end(&evil.peer);
	guest_frames_end(&evil.frames);
	exos_slot_sweep();
}

exo_slot evil_parent(exo_slot slot)
{
	const struct exo_cap *c = exos_cap_look(slot);

	return c ? exos_cap_name(c->parent) : 0;
}

uint64_t evil_digest(void)
{
	const uint64_t *word = (const uint64_t *)exos_started()->table_va;
	uint64_t words = exos_slot_frames() * (EXO_PAGE_SIZE / 8), sum = 0;

	for (uint64_t i = 0; i < words; i++)
		sum = (sum ^ word[i]) * 0x100000001b3ull + i;
	return sum;
}
