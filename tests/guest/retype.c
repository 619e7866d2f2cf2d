/* SPDX-License-Identifier: MIT */
/*
 * retype.c - making kernel objects of memory: what is refused, what the owner map then says, and
 * that an object leaves nothing behind in its frames.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/space.h>
#include "guest.h"
#include "vm.h"

struct object {
	uint32_t kind;
	uint64_t arg;
	uint64_t frames;
	enum exo_use use[7];
};

static const struct object objects[] = {
	{ EXO_KIND_PT, 1, EXO_FRAMES_PT,
	 { EXO_USE_PT, EXO_USE_SHADOW, EXO_USE_SHADOW, EXO_USE_SHADOW } },
	{ EXO_KIND_PT, 2, EXO_FRAMES_PT,
	 { EXO_USE_PT, EXO_USE_SHADOW, EXO_USE_SHADOW, EXO_USE_SHADOW } },
	{ EXO_KIND_PT, 3, EXO_FRAMES_PT,
	 { EXO_USE_PT, EXO_USE_SHADOW, EXO_USE_SHADOW, EXO_USE_SHADOW } },
	{ EXO_KIND_SPACE, 0, EXO_FRAMES_PT,
	 { EXO_USE_PT, EXO_USE_SHADOW, EXO_USE_SHADOW, EXO_USE_SHADOW } },
	{ EXO_KIND_ENV, 0, EXO_FRAMES_ENV, { EXO_USE_ENV, EXO_USE_ENVPAGE, EXO_USE_ENV } },
	{ EXO_KIND_RING, 0, EXO_FRAMES_RING, { EXO_USE_RING, EXO_USE_RINGPAGE, EXO_USE_RINGPAGE } },
	{ EXO_KIND_VCPU, 0, EXO_FRAMES_VCPU, { EXO_USE_VCPU, EXO_USE_VCPUPAGE, EXO_USE_VCPU } },
	{ EXO_KIND_FILTER, 0, EXO_FRAMES_FILTER, { EXO_USE_FILTER } },
	{ EXO_KIND_PACKETS, 1, EXO_FRAMES_PACKETS + 1,
	 { EXO_USE_RING, EXO_USE_RING, EXO_USE_RINGPAGE, EXO_USE_RINGPAGE, EXO_USE_RINGPAGE,
	   EXO_USE_RINGPAGE, EXO_USE_RINGPAGE } },
	{ EXO_KIND_TABLE, ~0ull, EXO_FRAMES_TABLE, { EXO_USE_TABLE } },
};

/* Can there be such an object on this machine? */
static bool is_here(const struct object *o)
{
	return o->kind != EXO_KIND_VCPU || vm_present();
}

static uint64_t arg_of(const struct object *o)
{
	return o->arg == ~0ull ? guest_claim("env") : o->arg;
}

EXO_TEST(each_kind_of_object_is_made_and_ended, SHORT)
{
	for (unsigned n = 0; n < ARRAY_LEN(objects); n++) {
		const struct object *o = &objects[n];
		struct guest_frames f;
		exo_slot made;

		if (!is_here(o))
			continue;
		must_eq(guest_frames_make(&f, 10), 0);
		must((made = guest_retype(f.slot, f.lo + 1, o->kind, arg_of(o))) != 0);
		expect_eq(exos_cap_look(made)->kind, o->kind);
		expect_eq(exos_cap_look(made)->lo, f.lo + 1);
		expect_eq(exos_cap_look(made)->hi, f.lo + 1 + o->frames);
		expect_eq(exos_cap_look(made)->flags, EXO_CAP_OBJECT);
		for (unsigned i = 0; i < o->frames; i++) {
			expect_eq(guest_use(f.lo + 1 + i), o->use[i]);
			expect_eq(guest_holder(f.lo + 1 + i), exo_slot_sid(made));
		}
		expect_eq(guest_use(f.lo), EXO_USE_MEMORY);
		expect_eq(guest_use(f.lo + 1 + o->frames), EXO_USE_MEMORY);
		expect_eq(exos_cap_drop(made), 0);
		for (unsigned i = 0; i < 10; i++)
			expect_eq(guest_use(f.lo + i), EXO_USE_MEMORY);
		expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 10);
		guest_frames_end(&f);
	}
}

EXO_TEST(what_is_not_plain_memory_of_ours_is_no_object, SHORT)
{
	exo_slot env = guest_claim("env"), share, child, object;
	exo_sid sid = guest_sid();
	struct guest_frames f;
	void *window;

	must_eq(guest_frames_make(&f, 8), 0);
	/* mapped */
	window = exos_space_window(f.slot, f.lo, 1, EXO_R_READ, NULL);
	must(window != NULL);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_TABLE, env), MAPPED);
	exos_space_window_end(window, 1);
	/* given away */
	must((child = guest_narrow(f.slot, f.lo, f.lo + 1, GUEST_R_FRAMES)) != 0);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_TABLE, env), SPLIT);
	/* shared */
	must((share = guest_narrow(child, f.lo, f.lo + 1, EXO_R_READ | EXO_SHARE)) != 0);
	expect_error(exo_retype(child, sid, f.lo, EXO_KIND_TABLE, env), SHARED);
	expect_refused(exo_retype(share, sid, f.lo, EXO_KIND_TABLE, env));
	expect_eq(exos_cap_drop(share), 0);
	/* an object already */
	must((object = guest_retype(child, f.lo, EXO_KIND_TABLE, env)) != 0);
	expect_error(exo_retype(child, sid, f.lo, EXO_KIND_TABLE, env), SPLIT);
	expect_error(exo_retype(object, sid, f.lo, EXO_KIND_TABLE, env), KIND);
	/* not all of it left: the object's last frame was given away */
	must(guest_narrow(f.slot, f.lo + 5, f.lo + 6, EXO_R_READ) != 0);
	expect_error(exo_retype(f.slot, sid, f.lo + 2, EXO_KIND_PT, 1), SPLIT);
	/* and the same act where nothing stands against it */
	expect(exo_retype(f.slot, sid, f.lo + 1, EXO_KIND_PT, 1) > 0);
}

EXO_TEST(wrong_kinds_and_arguments_make_no_object, SHORT)
{
	static const uint32_t kinds[] =
		{ EXO_KIND_NONE, EXO_KIND_FRAME, EXO_KIND_SLOT, EXO_KIND_BLOCK,
		EXO_KIND_IRQ, EXO_KIND_PORT, EXO_KIND_GATE, EXO_KIND_TRACE, EXO_KIND_COUNT, 255 };
	struct guest_frames f;
	exo_sid sid = guest_sid();

	must_eq(guest_frames_make(&f, 4), 0);
	for (unsigned n = 0; n < ARRAY_LEN(kinds); n++)
		expect_refused(exo_retype(f.slot, sid, f.lo, kinds[n], 0));
	expect_refused(exo_retype(f.slot, sid, f.lo, EXO_KIND_PT | 1ull << 32, 1));
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_PT, 0), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_PT, 4), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_PT, 1ull << 32 | 1), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_SPACE, 3), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_ENV, 7), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_FILTER, 1), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_PACKETS, 0), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_PACKETS, 257), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_PACKETS, ~0ull), ARG);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_TABLE, 0), STALE);
	expect_error(exo_retype(f.slot, sid, f.lo, EXO_KIND_TABLE, f.slot), KIND);
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 4);
	expect(exo_retype(f.slot, sid, f.lo, EXO_KIND_PT, 3) > 0);
}

/* The data area of packet rings is its owner's memory all the time: nobody scrubs it. */
static uint64_t words_left(const struct object *o)
{
	return o->kind == EXO_KIND_PACKETS ? (o->frames - EXO_FRAMES_PACKETS) * 512 : 0;
}

EXO_TEST(an_object_leaves_zeroes, SHORT)
{
	for (unsigned n = 0; n < ARRAY_LEN(objects); n++) {
		const struct object *o = &objects[n];
		uint64_t *words, left = 0;
		struct guest_frames f;
		exo_slot made;

		if (!is_here(o))
			continue;
		must_eq(guest_frames_make(&f, o->frames), 0);
		words = exos_space_window(f.slot, f.lo, o->frames, GUEST_RW, NULL);
		must(words != NULL);
		for (unsigned i = 0; i < o->frames * 512; i++)
			words[i] = 0x5ec5e7;
		exos_space_window_end(words, o->frames);
		must((made = guest_retype(f.slot, f.lo, o->kind, arg_of(o))) != 0);
		if (o->kind == EXO_KIND_TABLE)
			expect(exo_doorbell(guest_claim("env"), f.lo * 64 + 9, 77,
					    EXO_R_NOTIFY) > 0);
		expect_eq(exos_cap_drop(made), 0);
		words = exos_space_window(f.slot, f.lo, o->frames, EXO_R_READ, NULL);
		must(words != NULL);
		for (unsigned i = 0; i < o->frames * 512; i++)
			left += words[i] != 0;
		expect_eq(left, words_left(o));
		exos_space_window_end(words, o->frames);
		guest_frames_end(&f);
	}
}

EXO_TEST(memory_that_was_no_object_is_not_scrubbed, SHORT)
{
	struct guest_frames f;
	uint64_t *words;
	exo_slot child;

	must_eq(guest_frames_make(&f, 1), 0);
	must((child = guest_narrow(f.slot, f.lo, f.hi, GUEST_RW)) != 0);
	words = exos_space_window(child, f.lo, 1, GUEST_RW, NULL);
	must(words != NULL);
	words[100] = 0xcafe;
	expect_eq(exos_cap_revoke(f.slot), 0);
	exos_space_window_end(words, 1);
	words = exos_space_window(f.slot, f.lo, 1, EXO_R_READ, NULL);
	must(words != NULL);
	expect_eq(words[100], 0xcafe);
	exos_space_window_end(words, 1);
	guest_frames_end(&f);
}

EXO_TEST(object_frames_are_never_mapped_writable, SHORT)
{
	uint64_t va = 0x200000000000;
	struct guest_frames f;

	must_eq(exos_space_prepare(&exos_space_own, va, 1), 0);
	for (unsigned n = 0; n < ARRAY_LEN(objects); n++) {
		const struct object *o = &objects[n];
		exo_slot made, by[3];

		if (!is_here(o))
			continue;
		must_eq(guest_frames_make(&f, 8), 0);
		must((made = guest_retype(f.slot, f.lo, o->kind, arg_of(o))) != 0);
		by[0] = f.slot;
		by[1] = made;
		by[2] = guest_claim("trace");
		for (unsigned i = 0; i < o->frames; i++) {
			bool page = o->use[i] == EXO_USE_ENVPAGE || o->use[i] == EXO_USE_RINGPAGE ||
				    o->use[i] == EXO_USE_VCPUPAGE;

			for (unsigned c = 0; c < 3; c++) {
				int err = exos_space_map(&exos_space_own, va, by[c], f.lo + i, 1,
							 GUEST_RW);

				expect_eq(err == 0, page && c == 1);
				if (!err)
					expect_eq(exos_space_unmap(&exos_space_own, va, 1), 0);
			}
		}
		guest_frames_end(&f);
	}
}

EXO_TEST(table_frames_add_slots, SHORT)
{
	struct guest_frames f, g;
	exo_slot table, inside;
	exo_sid first;

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(guest_frames_make(&g, 1), 0);
	first = (exo_sid)(f.lo * EXO_SLOTS_PER_FRAME);
	expect_error(exo_cap_narrow(g.slot, first + 5, g.lo, g.hi, EXO_R_READ), SLOT);
	must((table = guest_retype(f.slot, f.lo, EXO_KIND_TABLE, guest_claim("env"))) != 0);
	inside = (exo_slot)exo_cap_narrow(g.slot, first + 5, g.lo, g.hi, EXO_R_READ);
	must((int64_t)inside > 0);
	expect_eq(guest_holder(g.lo), first + 5);
	/* When the frame goes, what is in it goes; the claims' ranges are their parents' again. */
	expect_eq(exos_cap_drop(table), 0);
	expect_eq(guest_holder(g.lo), exo_slot_sid(g.slot));
	expect_error(exo_cap_drop(inside), STALE);
}
