/* SPDX-License-Identifier: MIT */
/*
 * known.c - claims that an environment called, yielded or posted by, kept with what they name.
 *
 * Invariant: who ends a frame of slots first says so in the frame's entry and then forgets; who
 * learns writes what it learned and then looks at the frame's entry.  So one of them sees the
 * other.  The same with the end of an environment, whose own claim is good until it has ended, and
 * the flags of that claim.
 */
#include "known.h"

#include "claim.h"
#include "frame.h"

/* No claim has this generation: an entry that knows nothing never fits a name that it has. */
static const uint32_t no_generation = ~0u;

static void entry_forget(struct known *k, unsigned i)
{
	__atomic_store_n(&k->gen[i], &no_generation, __ATOMIC_RELEASE);
}

void known_learn(struct env *e, enum known_use use, const struct exo_cap *c, exo_slot name)
{
	unsigned i = slot_sid(c) % KNOWN;
	struct known *k = &e->known[use];
	const struct exo_frame *f = frame_entry(slot_sid(c) / EXO_SLOTS_PER_FRAME);

	entry_forget(k, i);
	k->to[i] = env_at(c->lo);
	k->hi[i] = c->hi;
	k->badge[i] = c->badge;
	k->name[i] = name;
	if (!claim_same(c, name))
		return;
	__atomic_store_n(&k->gen[i], &c->gen, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&f->object, __ATOMIC_SEQ_CST) != e->id || claim_is_ending_object(c))
		entry_forget(k, i);
}

void known_forget(struct env *e)
{
	for (unsigned use = 0; use < KNOWN_USES; use++)
		for (unsigned i = 0; i < KNOWN; i++)
			entry_forget(&e->known[use], i);
}
