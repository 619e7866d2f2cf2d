/* SPDX-License-Identifier: MIT */
/*
 * filter_model.h - random operations on filters, compared with the plainest reading of the rules.
 *
 * The model is one list of filters, each with its parent and its patterns, compared bit by bit; of
 * order it knows which masks came first under a parent, and which shares.  The including file says
 * where choices come from (pick) and what a broken promise does (MUST).
 */
#ifndef FILTER_MODEL_H
#define FILTER_MODEL_H

#include <stdlib.h>
#include <string.h>

#include <exo/errors.h>

#include "filter.h"
#include "filter_group.h"

#define FRAMES     8192u                /* of the arena */
#define ROOT       1u                   /* frame of the NIC's own filter */
#define MODEL_MAX  240u                 /* filters of a random run, in frames from ROOT on */
#define SHAPES_MAX 512u

uint8_t fake_ram[FRAMES * EXO_PAGE_SIZE] __attribute__((aligned(4096)));

/* A number below n. */
static unsigned pick(unsigned n);

struct shape {
	unsigned id, members;
	uint64_t mask[EXO_NIC_WORDS];
};

struct model {
	bool used, share;
	unsigned parent, rights;
	struct exo_nic_spec spec;
	unsigned shape_of[2];                   /* id, 0: not on that side */
	unsigned shapes[2];                     /* of its children */
	unsigned shared[MODEL_MAX], shares;     /* its shares, oldest first */
};
static struct model model[ROOT + MODEL_MAX];
static struct shape shape[ROOT + MODEL_MAX][2][SHAPES_MAX];     /* oldest first */
static unsigned shape_ids;

/* --- patterns, bit by bit --- */
static bool bit(const uint64_t *words, unsigned n)
{
	return ((const uint8_t *)words)[n / 8] >> n % 8 & 1;
}

static bool model_overlap(const struct exo_pattern *a, const struct exo_pattern *b)
{
	for (unsigned n = 0; n < EXO_NIC_HEADER * 8; n++)
		if (bit(a->mask, n) && bit(b->mask, n) && bit(a->value, n) != bit(b->value, n))
			return false;
	return true;
}

static bool model_match(const struct exo_pattern *p, const uint8_t *packet)
{
	const uint8_t *mask = (const uint8_t *)p->mask, *value = (const uint8_t *)p->value;

	for (unsigned i = 0; i < EXO_NIC_HEADER; i++)
		if ((packet[i] & mask[i]) != value[i])
			return false;
	return true;
}

static const struct exo_pattern *side_of(const struct exo_nic_spec *s, unsigned side)
{
	return side ? &s->send : &s->receive;
}

static bool model_merge(const struct exo_pattern *above, const struct exo_pattern *added,
                        struct exo_pattern *whole)
{
	bool ok = true;

	for (unsigned n = 0; n < EXO_NIC_HEADER * 8; n++) {
		uint8_t at = 1u << n % 8;

		if (bit(added->value, n) && !bit(added->mask, n))
			ok = false;
		if (bit(above->mask, n) && bit(added->mask, n) &&
		    bit(above->value, n) != bit(added->value, n))
			ok = false;
		if (bit(above->mask, n) || bit(added->mask, n))
			((uint8_t *)whole->mask)[n / 8] |= at;
		if (bit(above->value, n) || bit(added->value, n))
			((uint8_t *)whole->value)[n / 8] |= at;
	}
	return ok;
}

/* --- the tree --- */
static unsigned shape_find(unsigned f, unsigned side, const uint64_t *mask)
{
	for (unsigned i = 0; i < model[f].shapes[side] && i < FILTER_SHAPES; i++)
		if (!memcmp(shape[f][side][i].mask, mask, sizeof(shape[f][side][i].mask)))
			return i;
	return SHAPES_MAX;
}

static void model_hang(unsigned parent, unsigned child)
{
	struct model *m = &model[parent], *c = &model[child];

	c->parent = parent;
	if (c->share) {
		m->shared[m->shares++] = child;
		return;
	}
	for (unsigned side = 0; side < 2; side++) {
		const uint64_t *mask = side_of(&c->spec, side)->mask;
		unsigned at = shape_find(parent, side, mask);
		struct shape *of = shape[parent][side];

		if (!(c->rights & (side ? EXO_R_WRITE : EXO_R_READ)))
			continue;
		if (at == SHAPES_MAX) {
			at = m->shapes[side]++;
			MUST(at < SHAPES_MAX);
			of[at].id = ++shape_ids;
			of[at].members = 0;
			memcpy(of[at].mask, mask, sizeof(of[at].mask));
		}
		of[at].members++;
		c->shape_of[side] = of[at].id;
	}
}

static unsigned shape_at(unsigned f, unsigned side, unsigned id)
{
	unsigned at = 0;

	while (shape[f][side][at].id != id)
		MUST(++at < model[f].shapes[side]);
	return at;
}

static void model_unhang(unsigned child)
{
	struct model *c = &model[child], *m = &model[c->parent];
	unsigned at = 0;

	if (c->share) {
		while (m->shared[at] != child)
			MUST(++at < m->shares);
		memmove(&m->shared[at], &m->shared[at + 1], (--m->shares - at) * sizeof(at));
		return;
	}
	for (unsigned side = 0; side < 2; side++) {
		struct shape *of = shape[c->parent][side];

		if (!c->shape_of[side])
			continue;
		at = shape_at(c->parent, side, c->shape_of[side]);
		c->shape_of[side] = 0;
		if (!--of[at].members)
			memmove(&of[at], &of[at + 1], (--m->shapes[side] - at) * sizeof(*of));
	}
}

static unsigned model_depth(unsigned f)
{
	unsigned depth = 0;

	for (; f != ROOT; f = model[f].parent)
		depth++;
	return depth;
}

static int model_check(unsigned parent, const struct exo_nic_spec *added, unsigned rights,
                       bool share, struct exo_nic_spec *whole)
{
	const struct model *m = &model[parent];

	bool fits;

	memset(whole, 0, sizeof(*whole));
	if (m->share)
		return -EXO_E_SHARED;
	if (rights & ~m->rights)
		return -EXO_E_RIGHTS;
	fits = model_merge(&m->spec.receive, &added->receive, &whole->receive);
	if (!model_merge(&m->spec.send, &added->send, &whole->send) || !fits)
		return -EXO_E_RANGE;
	if (model_depth(parent) >= FILTER_DEPTH)
		return -EXO_E_ROOM;
	if (share)
		return m->shares >= FILTER_SHARES ? -EXO_E_ROOM : 0;
	for (unsigned side = 0; side < 2; side++) {
		unsigned right = side ? EXO_R_WRITE : EXO_R_READ;
		const struct exo_pattern *p = side_of(whole, side);

		for (unsigned i = ROOT + 1; (rights & right) && i < ROOT + MODEL_MAX; i++)
			if (model[i].used && model[i].parent == parent && !model[i].share &&
			    (model[i].rights & right) &&
			    model_overlap(p, side_of(&model[i].spec, side)))
				return -EXO_E_SPLIT;
		if ((rights & right) && m->shapes[side] >= FILTER_SHAPES &&
		    shape_find(parent, side, p->mask) == SHAPES_MAX)
			return -EXO_E_ROOM;
	}
	return 0;
}

/* May the packet belong to `found`, if it belongs to f or to something below f? */
static bool model_may_find(unsigned f, unsigned found, const uint8_t *packet, bool *only)
{
	bool below = false;

	for (unsigned i = ROOT + 1; i < ROOT + MODEL_MAX; i++) {
		const struct model *c = &model[i];

		if (!c->used || c->share || c->parent != f || !(c->rights & EXO_R_READ) ||
		    shape_at(f, 0, c->shape_of[0]) >= FILTER_SHAPES ||
		    !model_match(&c->spec.receive, packet))
			continue;
		if (below)
			*only = false;
		below = true;
		if (model_may_find(i, found, packet, only))
			return true;
	}
	return !below && f == found;
}

/* --- choices --- */
static unsigned style;          /* of the patterns in this run */

/* Few fields with few values, so that patterns meet: in words shared and alone, at both ends. */
static void field_pick(struct exo_pattern *p)
{
	static const struct { uint8_t at, mask; } field[] = {
		{12, 0xff}, {14, 0xf0}, {14, 0x0f}, {23, 0x03}, {30, 0xff}, {36, 0xff}, {0, 0x01},
		{7, 0x80}, {127, 0x81}, {64, 0x7e},
	};
	unsigned n = pick(style == 1 ? 3 : 10), value = pick(3) * 0x55;
	uint8_t *mask = (uint8_t *)p->mask, *to = (uint8_t *)p->value;

	mask[field[n].at] |= field[n].mask;
	to[field[n].at] = (to[field[n].at] & ~field[n].mask) | (value & field[n].mask);
}

/* Style 2: one number tells all apart, and any mask goes with it: very many shapes. */
static void pattern_pick(struct exo_pattern *p)
{
	uint8_t *mask = (uint8_t *)p->mask, *to = (uint8_t *)p->value;

	memset(p, 0, sizeof(*p));
	if (style == 2 && pick(12)) {
		mask[40] = 0xff;
		to[40] = pick(256);
		mask[80 + pick(8)] = 1u << pick(8);
		return;
	}
	for (unsigned n = pick(4); n; n--)
		field_pick(p);
	if (!pick(40))
		to[pick(EXO_NIC_HEADER)] |= 1u << pick(8);
}

static unsigned pick_used(void)
{
	unsigned n = ROOT + pick(MODEL_MAX);

	for (unsigned i = 0; i < MODEL_MAX; i++, n = n + 1 < ROOT + MODEL_MAX ? n + 1 : ROOT)
		if (model[n].used)
			return n;
	return ROOT;
}

static void packet_pick(uint8_t *packet)
{
	const struct exo_pattern *p = side_of(&model[pick_used()].spec, pick(4) == 0);

	memset(packet, 0, EXO_NIC_HEADER);
	for (unsigned n = pick(6); n; n--) {
		struct exo_pattern noise;

		pattern_pick(&noise);
		for (unsigned i = 0; i < EXO_NIC_HEADER; i++)
			packet[i] |= ((uint8_t *)noise.value)[i];
	}
	for (unsigned i = 0; i < EXO_NIC_HEADER; i++)
		packet[i] = (packet[i] & ~((const uint8_t *)p->mask)[i]) |
			    ((const uint8_t *)p->value)[i];
	if (!pick(8))
		packet[pick(EXO_NIC_HEADER)] ^= 1u << pick(8);
}

/* --- operations --- */
static void shares_compare(unsigned f)
{
	const struct filter *s = filter_share_first(filter_at(f));

	for (unsigned n = f;; n = model[n].parent) {
		for (unsigned i = 0; i < model[n].shares && i < FILTER_SHARES; i++) {
			MUST(s == filter_at(model[n].shared[i]));
			s = filter_share_next(s);
		}
		if (n == ROOT)
			break;
	}
	MUST(!s);
}

static void try_packet(void)
{
	uint8_t room[EXO_NIC_HEADER + 8], *packet = room + pick(8);
	unsigned found, any = pick_used();
	const struct exo_nic_spec *spec = &model[any].spec;
	bool only = true;

	packet_pick(packet);
	found = (unsigned)filter_pfn(filter_find(filter_at(ROOT), packet));
	MUST(found >= ROOT && found < ROOT + MODEL_MAX);
	MUST(model[found].used && model_may_find(ROOT, found, packet, &only));
	shares_compare(found);
	MUST(filter_receives(filter_at(any), packet) ==
	     ((model[any].rights & EXO_R_READ) && model_match(&spec->receive, packet)));
	MUST(filter_sends(filter_at(any), packet) ==
	     ((model[any].rights & EXO_R_WRITE) && model_match(&spec->send, packet)));
}

static void try_names(void)
{
	unsigned f = pick_used(), at = pick(132), bytes = pick(5);
	bool named = false;

	for (unsigned n = at * 8; n < (at + bytes) * 8 && n < EXO_NIC_HEADER * 8; n++)
		named |= bit(model[f].spec.send.mask, n);
	MUST(filter_names_send(filter_at(f), at, bytes) == named);
}

static void try_narrow(void)
{
	struct exo_nic_spec added, whole, expected;
	unsigned parent = pick(3) ? ROOT : pick_used(), n = ROOT + 1;
	unsigned rights = pick(4) ? EXO_R_READ | EXO_R_WRITE : pick(4);
	bool share = !pick(6);
	int err;

	while (n < ROOT + MODEL_MAX && model[n].used)
		n++;
	if (n == ROOT + MODEL_MAX)
		return;
	pattern_pick(&added.receive);
	pattern_pick(&added.send);
	if (pick(2))
		added.send = added.receive;
	err = model_check(parent, &added, rights, share, &expected);
	MUST(filter_check(filter_at(parent), &added, rights, share, &whole) == err);
	if (err)
		return;
	MUST(!memcmp(&whole, &expected, sizeof(whole)));
	filter_attach(filter_at(parent), filter_at(n), &whole, rights, share);
	model[n].used = true;
	model[n].share = share;
	model[n].rights = rights;
	model[n].spec = whole;
	model_hang(parent, n);
	MUST(filter_at(n)->pub.parent == parent && filter_at(n)->pub.share == share);
	MUST(filter_at(n)->pub.rights == rights && filter_at(n)->pub.nic == 5);
}

static bool frame_is_zero(unsigned pfn)
{
	const uint64_t *w = pfn_to_virt(pfn);

	for (unsigned i = 0; i < EXO_PAGE_SIZE / 8; i++)
		if (w[i])
			return false;
	return true;
}

/* A claim goes: what hangs below goes to the one above, in any order, with packets under way. */
static void try_end(unsigned f)
{
	unsigned heir = model[f].parent, start = pick(MODEL_MAX);

	if (f == ROOT)
		return;
	for (unsigned i = 0; i < MODEL_MAX; i++) {
		unsigned n = ROOT + (start + i) % MODEL_MAX;

		if (n == ROOT || !model[n].used || model[n].parent != f)
			continue;
		filter_rehang(filter_at(n), filter_at(heir));
		model_unhang(n);
		model_hang(heir, n);
		if (!pick(4))
			try_packet();
	}
	MUST(!filter_has_children(filter_at(f)) && !model[f].shares);
	filter_detach(filter_at(f));
	model_unhang(f);
	model[f] = (struct model){ 0 };
	MUST(frame_is_zero(f));
}

/* Frames can be read by others than the kernel: they hold none of its addresses. */
static void addresses_check(void)
{
	uint64_t lo = (uint64_t)(uintptr_t)fake_ram, hi = lo + sizeof(fake_ram);

	for (unsigned n = ROOT; n < ROOT + MODEL_MAX; n++) {
		const uint8_t *frame = pfn_to_virt(n);

		for (size_t i = sizeof(struct exo_filter); i + 8 <= sizeof(struct filter); i += 4) {
			uint64_t w;

			memcpy(&w, frame + i, sizeof(w));
			MUST(w < lo || w >= hi);
		}
	}
}

/* No two siblings take the same packet on a side on which both have the right. */
static void disjoint_check(void)
{
	for (unsigned i = ROOT + 1; i < ROOT + MODEL_MAX; i++) {
		const struct exo_filter *a = &filter_at(i)->pub;
		unsigned kids = 0;

		for (unsigned k = ROOT + 1; k < ROOT + MODEL_MAX; k++) {
			const struct exo_filter *b = &filter_at(k)->pub;
			unsigned both = a->rights & b->rights;

			kids += b->parent == i && !b->share;
			if (k == i || !a->parent || a->parent != b->parent || a->share || b->share)
				continue;
			MUST(!(both & EXO_R_READ) ||
			     !model_overlap(&a->spec.receive, &b->spec.receive));
			MUST(!(both & EXO_R_WRITE) || !model_overlap(&a->spec.send, &b->spec.send));
		}
		MUST(kids == filter_at(i)->children);
	}
}

/* Hashes of every quality: as in the kernel, all alike, few, and such that trees become deep. */
static void key_pick(unsigned kind)
{
	filter_seed(0x1234 + kind);
	if (kind == 1)
		filter_key.mix = 0;
	if (kind == 2)
		filter_key.mix = 1ul << 60;
	for (unsigned i = 0; kind == 3 && i < EXO_NIC_WORDS; i++)
		filter_key.word[i] = i % 2;
	if (kind == 3)
		filter_key.mix = 1;
}

static void model_start(unsigned pattern_style, unsigned hashes)
{
	memset(model, 0, sizeof(model));
	memset(fake_ram, 0, (ROOT + MODEL_MAX) * EXO_PAGE_SIZE);
	style = pattern_style;
	key_pick(hashes);
	model[ROOT].used = true;
	model[ROOT].rights = EXO_R_READ | EXO_R_WRITE;
	filter_root(filter_at(ROOT), 5);
}

static void model_step(void)
{
	unsigned what = pick(style == 2 ? 48 : 24);

	if (what < 6 || what >= 24)
		try_narrow();
	else if (what < 9)
		try_end(pick_used());
	else if (what < 10)
		try_names();
	else
		try_packet();
}

/* Everything goes; the root is as it was at first. */
static void model_end(void)
{
	struct filter *fresh = pfn_to_virt(0);

	for (unsigned n = ROOT + 1; n < ROOT + MODEL_MAX; n++)
		if (model[n].used)
			try_end(n);
	memset(fresh, 0, EXO_PAGE_SIZE);
	filter_root(fresh, 5);
	MUST(!memcmp(fresh, filter_at(ROOT), EXO_PAGE_SIZE));
}

#endif
