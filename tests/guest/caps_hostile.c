/* SPDX-License-Identifier: MIT */
/*
 * caps_hostile.c - names that are forged, of others, of the wrong kind; ranges that lie.
 *
 * Invariant tried: a refused call changes nothing, whatever its arguments.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/start.h>
#include "guest.h"
#include "peer.h"

/* Every call that takes a claim's name as its first argument, with harmless further arguments. */
static int64_t call_with(unsigned which, exo_slot name, exo_sid sid)
{
	static const struct exo_nic_spec spec;
	struct exo_map_op unmap = { .va = 0x200000000000, .pages = 1, .op = EXO_UNMAP };
	struct exo_port_op in = { .port = 0x3fd, .size = 1, .op = EXO_PORT_IN };

	switch (which) {
	case 0: return exo_cap_narrow(name, sid, 0, 1, EXO_R_READ);
	case 1: return exo_cap_give(name, guest_claim("env"), sid, 0);
	case 2: return exo_cap_drop(name);
	case 3: return exo_cap_revoke(name);
	case 4: return exo_retype(name, sid, 0, EXO_KIND_PT, 1);
	case 5: return exo_space_update(name, (uint64_t)&unmap, 1);
	case 6: return exo_env_control(name, EXO_ENV_STOP, 0, 0);
	case 7: return exo_env_notify(name);
	case 8: return exo_doorbell(name, sid, 1, EXO_R_NOTIFY);
	case 9: return exo_gate_make(name, sid, 0x400000, 0);
	case 10: return exo_slot_set(name, 0, 0);
	case 11: return exo_irq_bind(name, 0);
	case 12: return exo_irq_ack(name);
	case 13: return exo_port_io(name, (uint64_t)&in, 1);
	case 14: return exo_disk_bind(name, name, 1);
	case 15: return exo_disk_kick(name);
	case 16: return exo_nic_narrow(name, sid, name, (uint64_t)&spec, EXO_R_READ);
	case 17: return exo_nic_bind(name, name, 1);
	case 18: return exo_nic_kick(name);
	case 19: return exo_vcpu_bind(name, name);
	case 20: return exo_vcpu_run(name, 0);
	default: return exo_env_yield(name);
	}
}
#define CALLS 22u
#define CALL_YIELD 21u

EXO_TEST(forged_names_name_nothing, LONG)
{
	exo_slot memory = guest_claim("memory");
	exo_sid sid = guest_sid();
	unsigned wrong = 0;

	for (unsigned i = 0; i < 20000; i++) {
		exo_slot name = guest_random();

		if (exos_cap_look(name))
			continue;
		wrong += call_with(i % CALLS, name, sid) != -EXO_E_STALE;
	}
	expect_eq(wrong, 0);
	expect(exos_cap_look(memory) != NULL);
	/* The rightful name still works. */
	expect_eq(exo_cap_revoke(exos_grant("suite", 0)->slot), 0);
}

EXO_TEST(near_misses_name_nothing, SHORT)
{
	struct guest_frames f;
	exo_sid sid = guest_sid();

	must_eq(guest_frames_make(&f, 2), 0);
	for (unsigned which = 0; which < CALLS; which++) {
		exo_slot bad[] = { 0, ~0ull, f.slot + (1ull << 32), f.slot - (1ull << 32),
				  f.slot ^ (1ull << 63),
				   exo_slot_make(exo_slot_sid(f.slot), 0),
				   exo_slot_make(0, exo_slot_gen(f.slot)), exo_slot_make(sid, 1) };

		for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
			if (!(which == CALL_YIELD && !bad[i]))
				expect_error(call_with(which, bad[i], sid), STALE);
	}
	expect(exos_cap_look(f.slot) != NULL);
	expect(exo_cap_narrow(f.slot, sid, f.lo, f.hi, EXO_R_READ) > 0);
}

/* Physical page 0 is nobody's table, and least of all that of who has none. */
EXO_TEST(slots_of_page_0_are_nobodys, SHORT)
{
	struct guest_frames f, g;
	exo_slot env;

	must_eq(guest_frames_make(&f, EXO_FRAMES_ENV), 0);
	must_eq(guest_frames_make(&g, 1), 0);
	must_eq(exos_cap_retype(f.slot, f.lo, EXO_KIND_ENV, 0, &env), 0);
	for (exo_sid sid = 0; sid < EXO_SLOTS_PER_FRAME; sid++) {
		expect_error(exo_cap_give(g.slot, env, sid, EXO_R_READ), SLOT);
		expect_error(exo_cap_narrow(g.slot, sid, g.lo, g.hi, EXO_R_READ), SLOT);
		expect_error(exo_cap_drop(exo_slot_make(sid, 0)), STALE);
	}
	expect_eq(exos_cap_look(g.slot)->child, 0);
	expect_eq(exos_cap_end(env), 0);
	guest_frames_end(&g);
	guest_frames_end(&f);
}

/* Which kinds a call accepts: by table, so that all other pairs must be refused. */
static bool accepts(unsigned which, uint32_t kind)
{
	switch (which) {
	case 0: case 1: case 2: case 3: return true;
	case 4: return kind == EXO_KIND_FRAME;
	case 5: return kind == EXO_KIND_SPACE;
	case 6: case 7: case 8: case 9: return kind == EXO_KIND_ENV;
	case 10: return kind == EXO_KIND_SLOT;
	case 11: case 12: return kind == EXO_KIND_IRQ;
	case 13: return kind == EXO_KIND_PORT;
	case 14: case 15: return kind == EXO_KIND_RING;
	case 16: return kind == EXO_KIND_NIC;
	case 17: case 18: return kind == EXO_KIND_PACKETS;
	case 19: case 20: return kind == EXO_KIND_VCPU;
	default: return kind == EXO_KIND_ENV || kind == EXO_KIND_GATE;
	}
}

EXO_TEST(claims_of_the_wrong_kind_are_refused, SHORT)
{
	const struct exos_grant *grant;
	exo_sid sid = guest_sid();
	bool seen[EXO_KIND_COUNT] = { false };
	unsigned kinds = 0;

	for (unsigned n = 0; (grant = exos_grant_at(n)); n++) {
		const struct exo_cap *cap = exos_cap_look(grant->slot);

		if (!cap)
			continue;
		kinds += !seen[cap->kind];
		seen[cap->kind] = true;
		for (unsigned which = 4; which < CALLS; which++)
			if (!accepts(which, cap->kind) &&
			    !expect_error(call_with(which, grant->slot, sid), KIND))
				guest_fail("call %u with the %s claim", which, grant->name);
	}
	expect(kinds >= 6);
}

EXO_TEST(names_of_other_tables_name_nothing, SHORT)
{
	struct guest_frames f;
	struct peer peer;
	exo_sid sid = guest_sid(), above;
	int64_t given;

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(peer_make(&peer), 0);
	given = peer_give(&peer, 3, f.slot, GUEST_RW);
	must(given > 0);
	/* The full, right name, but of a slot in the peer's table. */
	for (unsigned which = 0; which < CALLS; which++)
		expect_error(call_with(which, (exo_slot)given, sid), STALE);
	/* Our memory's parent is in the suite's table: its sid is no secret, and no use. */
	above = exos_cap_look(guest_claim("memory"))->parent;
	expect(above != 0);
	for (uint32_t gen = 0; gen < 64; gen++)
		expect_error(exo_cap_revoke(exo_slot_make(above, gen)), STALE);
	expect_error(exo_cap_narrow(f.slot, above, f.lo, f.hi, EXO_R_READ), SLOT);
	peer_end(&peer);
	guest_frames_end(&f);
}

EXO_TEST(destinations_must_be_empty_slots_of_ours, SHORT)
{
	struct guest_frames f;
	exo_slot memory = guest_claim("memory");
	exo_sid taken = exo_slot_sid(memory), sid = guest_sid();

	must_eq(guest_frames_make(&f, 4), 0);
	uint64_t bad[] = { 0, 1, taken, ~0ull, 1ull << 32 | sid, f.lo * EXO_SLOTS_PER_FRAME,
			   0xffffffff, exos_grant("archive", 0)->lo * EXO_SLOTS_PER_FRAME };

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		expect_error(exo_cap_narrow(f.slot, bad[i], f.lo, f.hi, EXO_R_READ), SLOT);
		expect_error(exo_retype(f.slot, bad[i], f.lo, EXO_KIND_PT, 1), SLOT);
		expect_error(exo_doorbell(guest_claim("env"), bad[i], 200, EXO_R_NOTIFY), SLOT);
		expect_error(exo_gate_make(guest_claim("env"), bad[i], 0x400000, 0), SLOT);
		expect_error(exo_cap_give(f.slot, guest_claim("env"), bad[i], EXO_R_READ), SLOT);
	}
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 4);
	expect(exo_cap_narrow(f.slot, sid, f.lo, f.hi, EXO_R_READ) > 0);
}

EXO_TEST(ranges_that_lie_are_refused, SHORT)
{
	struct guest_frames f;
	exo_sid sid = guest_sid();

	must_eq(guest_frames_make(&f, 4), 0);
	uint64_t bad[][2] = {
		{ f.lo, f.lo }, { f.hi, f.lo }, { f.lo - 1, f.hi }, { f.lo, f.hi + 1 },
			{ f.hi, f.hi + 1 },
		{ 0, f.hi }, { 0, ~0ull }, { f.lo, ~0ull }, { ~0ull, f.hi }, { ~0ull, ~0ull },
			{ 0, 0 },
		{ f.lo + (1ull << 52), f.hi + (1ull << 52) },
			{ f.lo | 1ull << 63, f.hi | 1ull << 63 },
		{ ~0ull, 0 }, { f.lo + 2, f.lo + 1 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		expect_error(exo_cap_narrow(f.slot, sid, bad[i][0], bad[i][1], EXO_R_READ), RANGE);
		expect_error(exo_cap_narrow(f.slot, sid, bad[i][0], bad[i][1],
					    EXO_R_READ | EXO_SHARE),
			     RANGE);
	}
	expect_error(exo_retype(f.slot, sid, f.lo - 1, EXO_KIND_PT, 1), RANGE);
	expect_error(exo_retype(f.slot, sid, f.lo + 1, EXO_KIND_PT, 1), RANGE);
	expect_error(exo_retype(f.slot, sid, ~0ull, EXO_KIND_PT, 1), RANGE);
	expect_error(exo_retype(f.slot, sid, ~0ull - 3, EXO_KIND_PT, 1), RANGE);
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 4);
	expect(exo_cap_narrow(f.slot, sid, f.lo + 1, f.hi - 1, EXO_R_READ) > 0);
}

EXO_TEST(unknown_rights_are_refused, SHORT)
{
	struct guest_frames f;
	exo_sid sid = guest_sid();

	must_eq(guest_frames_make(&f, 1), 0);
	for (unsigned bit = 17; bit < 64; bit++)
		expect_refused(exo_cap_narrow(f.slot, sid, f.lo, f.hi, EXO_R_READ | 1ull << bit));
	for (unsigned bit = 10; bit < 16; bit++)
		expect_refused(exo_cap_narrow(f.slot, sid, f.lo, f.hi, EXO_R_READ | 1ull << bit));
	expect_eq(insn_call0(EXO_CALL_version), EXO_ABI_MAJOR << 16 | EXO_ABI_MINOR);
	expect(exo_cap_narrow(f.slot, sid, f.lo, f.hi, EXO_R_READ) > 0);
}
