/* SPDX-License-Identifier: MIT */
/*
 * nic_claims.c - claims on packets: narrowing, giving, sharing, ending; who may have which pattern.
 *
 * Nothing is sent or received here (see the rings' tests).  What a pattern matches is tried on the
 * host (tests/host/filter_model_test.c).
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/space.h>
#include <exos/start.h>
#include "guest.h"
#include "peer.h"

#define RW (EXO_R_READ | EXO_R_WRITE)

static struct exo_nic_spec spec;

/* A spec that names byte `at` of what is received and byte `at` of what is sent. */
static struct exo_nic_spec *byte_spec(unsigned at, uint8_t value)
{
	memset(&spec, 0, sizeof(spec));
	((uint8_t *)spec.receive.mask)[at] = ((uint8_t *)spec.send.mask)[at] = 0xff;
	((uint8_t *)spec.receive.value)[at] = ((uint8_t *)spec.send.value)[at] = value;
	return &spec;
}

/* A fresh, unused filter; 0 and a failure if there is none. */
static exo_slot filter_make(struct guest_frames *f)
{
	if (!expect_eq(guest_frames_make(f, 1), 0))
		return 0;
	return guest_retype(f->slot, f->lo, EXO_KIND_FILTER, 0);
}

static int64_t nic_narrow(exo_slot nic, exo_slot filter, const struct exo_nic_spec *s,
                          uint32_t rights)
{
	return exo_nic_narrow(nic, guest_sid(), filter, (uintptr_t)s, rights);
}

/* The same with a filter of its own. */
static int64_t narrow_new(exo_slot nic, const struct exo_nic_spec *s, uint32_t rights)
{
	struct guest_frames f;
	exo_slot filter = filter_make(&f);

	return filter ? nic_narrow(nic, filter, s, rights) : -EXO_E_ROOM;
}

EXO_TEST(nic_siblings_are_disjoint, NIC)
{
	exo_slot nic = guest_claim("nic");
	int64_t a = narrow_new(nic, byte_spec(20, 1), RW), inner;

	must(a > 0);
	expect_error(narrow_new(nic, byte_spec(20, 1), RW), SPLIT);
	expect_error(narrow_new(nic, byte_spec(21, 1), RW), SPLIT);
	expect(narrow_new(nic, byte_spec(20, 2), RW) > 0);
	/* Within a, what a already names may be named again, but not otherwise. */
	expect_error(narrow_new(a, byte_spec(20, 2), RW), RANGE);
	inner = narrow_new(a, byte_spec(21, 7), RW);
	must(inner > 0);
	expect_error(narrow_new(a, byte_spec(21, 7), RW), SPLIT);
	/* One that only sends meets nobody's receiving, and the other way round. */
	byte_spec(22, 9);
	memset(&spec.send, 0, sizeof(spec.send));
	expect_error(narrow_new(a, &spec, EXO_R_READ), SPLIT);
	expect_eq(exos_cap_end((exo_slot)inner), 0);
	expect(narrow_new(a, byte_spec(21, 7), RW) > 0);
}

EXO_TEST(nic_narrow_refuses_what_is_wrong, NIC)
{
	exo_slot nic = guest_claim("nic"), filter, weak;
	struct guest_frames f, g;
	int64_t a;

	must((filter = filter_make(&f)) != 0);
	must_eq(guest_frames_make(&g, 1), 0);
	expect_error(nic_narrow(nic, f.slot, byte_spec(0, 1), RW), KIND);
	expect_error(nic_narrow(filter, filter, byte_spec(0, 1), RW), KIND);
	expect_error(nic_narrow(nic, filter, byte_spec(0, 1), RW | EXO_R_CONTROL), ARG);
	expect_error(nic_narrow(nic, filter, byte_spec(0, 1), RW | 0x20000), ARG);
	expect_error(exo_nic_narrow(nic, guest_sid(), filter, 0x10, RW), FAULT);
	expect_error(exo_nic_narrow(nic, guest_sid(), filter, ~0ul - 8, RW), FAULT);
	expect_error(exo_nic_narrow(nic, guest_sid(), filter, 1ul << 47, RW), FAULT);
	expect_error(exo_nic_narrow(nic, exo_slot_sid(nic), filter, (uintptr_t)&spec, RW), SLOT);
	byte_spec(3, 1)->receive.value[9] = 1;          /* outside its mask */
	expect_error(nic_narrow(nic, filter, &spec, RW), RANGE);
	/* Fewer rights stay fewer. */
	must_eq(exo_cap_narrow(nic, guest_sid(), 0, 1, EXO_R_READ), -EXO_E_ARG);
	a = exo_cap_narrow(nic, guest_sid(), 0, 0, EXO_R_READ);
	must(a > 0);
	weak = (exo_slot)a;
	expect_error(nic_narrow(weak, filter, byte_spec(0, 1), RW), RIGHTS);
	/* nic gave all it had to `weak`. */
	expect_error(nic_narrow(nic, filter, byte_spec(0, 1), RW), SPLIT);
	expect_error(exo_cap_narrow(nic, guest_sid(), 0, 0, EXO_R_READ), SPLIT);
	a = nic_narrow(weak, filter, byte_spec(0, 1), EXO_R_READ);
	must(a > 0);
	expect_error(nic_narrow(weak, filter, byte_spec(0, 2), EXO_R_READ), BUSY);
	expect_eq(exos_cap_end((exo_slot)a), 0);
	expect(nic_narrow(weak, filter, byte_spec(0, 2), EXO_R_READ) > 0);
}

EXO_TEST(nic_shares_are_only_shared, NIC)
{
	exo_slot nic = guest_claim("nic");
	int64_t share = narrow_new(nic, byte_spec(5, 1), RW | EXO_SHARE), n;

	must(share > 0);
	expect_eq(exos_cap_look((exo_slot)share)->flags & EXO_CAP_SHARE, EXO_CAP_SHARE);
	/* Sharing takes nothing away. */
	expect(narrow_new(nic, byte_spec(5, 1), RW) > 0);
	expect_error(narrow_new((exo_slot)share, byte_spec(6, 1), RW), SHARED);
	expect_error(narrow_new((exo_slot)share, byte_spec(6, 1), RW | EXO_SHARE), SHARED);
	expect_error(exo_cap_narrow(nic, guest_sid(), 0, 0, EXO_R_READ | EXO_SHARE), ARG);
	n = exo_cap_narrow((exo_slot)share, guest_sid(), 0, 0, EXO_R_READ);
	must(n > 0);
	expect_eq(exos_cap_look((exo_slot)n)->flags & EXO_CAP_SHARE, EXO_CAP_SHARE);
	for (n = 0; n < 7; n++)
		must(narrow_new(nic, byte_spec(5, (uint8_t)n), EXO_R_READ | EXO_SHARE) > 0);
	expect_error(narrow_new(nic, byte_spec(5, 9), EXO_R_READ | EXO_SHARE), ROOM);
}

EXO_TEST(nic_filters_nest_so_deep, NIC)
{
	exo_slot at = guest_claim("nic");
	int64_t next = 0;
	unsigned depth;

	for (depth = 0; depth < 40; depth++) {
		next = narrow_new(at, byte_spec(depth, 1), RW);
		if (next < 0)
			break;
		at = (exo_slot)next;
	}
	expect_eq(next, -EXO_E_ROOM);
	expect(depth >= 8 && depth <= 16);
}

/* The filter is the claim's memory: with it go the claim and all below. */
EXO_TEST(nic_claims_end_with_their_filter, NIC)
{
	exo_slot nic = guest_claim("nic"), filter;
	struct guest_frames f;
	int64_t a, given, inner, share;

	must((filter = filter_make(&f)) != 0);
	a = nic_narrow(nic, filter, byte_spec(40, 1), RW);
	must(a > 0);
	given = exo_cap_narrow((exo_slot)a, guest_sid(), 0, 0, RW);
	must(given > 0);
	inner = narrow_new((exo_slot)given, byte_spec(41, 1), RW);
	share = narrow_new((exo_slot)given, byte_spec(42, 1), EXO_R_READ | EXO_SHARE);
	must(inner > 0 && share > 0);
	expect_error(narrow_new(nic, byte_spec(40, 1), RW), SPLIT);
	expect_eq(exos_cap_end(filter), 0);
	expect(!exos_cap_look((exo_slot)a) && !exos_cap_look((exo_slot)given));
	expect(!exos_cap_look((exo_slot)inner) && !exos_cap_look((exo_slot)share));
	expect_eq(guest_use(f.lo), EXO_USE_MEMORY);
	expect(narrow_new(nic, byte_spec(40, 1), RW) > 0);
}

/* What was derived from a claim that is dropped hangs on its parent, with its pattern. */
EXO_TEST(nic_claims_outlive_the_middle, NIC)
{
	exo_slot nic = guest_claim("nic");
	int64_t middle = narrow_new(nic, byte_spec(50, 1), RW), a, b, same;

	must(middle > 0);
	a = narrow_new((exo_slot)middle, byte_spec(51, 1), RW);
	b = narrow_new((exo_slot)middle, byte_spec(51, 2), RW);
	memset(&spec, 0, sizeof(spec));
	must(a > 0 && b > 0);
	same = narrow_new((exo_slot)a, &spec, RW);      /* the very pattern of a */
	must(same > 0);
	expect_eq(exo_cap_drop((exo_slot)a), 0);
	expect_eq(exo_cap_drop((exo_slot)middle), 0);
	expect_eq(exos_cap_look((exo_slot)b)->parent, exo_slot_sid(nic));
	expect_eq(exos_cap_look((exo_slot)same)->parent, exo_slot_sid(nic));
	/* 50:1 with 51:1 and 51:2 are taken, the rest of 50:1 is free again. */
	expect_error(narrow_new(nic, byte_spec(50, 1), RW), SPLIT);
	byte_spec(50, 1);
	((uint8_t *)spec.receive.mask)[51] = ((uint8_t *)spec.send.mask)[51] = 0xff;
	for (unsigned v = 0; v < 4; v++) {
		int64_t n;

		((uint8_t *)spec.receive.value)[51] = ((uint8_t *)spec.send.value)[51] = (uint8_t)v;
		n = narrow_new(nic, &spec, RW);
		expect_eq(n > 0 ? 0 : n, v == 1 || v == 2 ? -EXO_E_SPLIT : 0);
	}
	expect_eq(exos_cap_end((exo_slot)same), 0);
	((uint8_t *)spec.receive.value)[51] = ((uint8_t *)spec.send.value)[51] = 1;
	expect(narrow_new(nic, &spec, RW) > 0);
}

EXO_TEST(nic_revoke_ends_all_below, NIC)
{
	exo_slot nic = guest_claim("nic");
	int64_t top = narrow_new(nic, byte_spec(60, 1), RW), last = top, last2 = top;

	must(top > 0);
	for (unsigned i = 0; i < 200; i++) {
		last = narrow_new((exo_slot)top, byte_spec(61, (uint8_t)i), RW);
		must(last > 0);
		last2 = narrow_new((exo_slot)last, byte_spec(62, (uint8_t)i), RW);
		must(last2 > 0);
	}
	expect_eq(exos_cap_revoke((exo_slot)top), 0);
	expect(!exos_cap_look((exo_slot)last) && !exos_cap_look((exo_slot)last2));
	expect(narrow_new((exo_slot)top, byte_spec(61, 3), RW) > 0);
	expect_eq(exos_cap_end((exo_slot)top), 0);
	expect(narrow_new(nic, byte_spec(61, 3), RW) > 0);
}

/* Filters can be read by who may inspect; they show physical names only. */
EXO_TEST(nic_filters_are_visible, NIC)
{
	exo_slot filter;
	struct guest_frames f;
	const struct exo_filter *seen;
	uint64_t va = 0x200000000000;
	int64_t a;

	must((filter = filter_make(&f)) != 0);
	a = nic_narrow(guest_claim("nic"), filter, byte_spec(70, 9), RW);
	must(a > 0);
	must_eq(exos_space_prepare(&exos_space_own, va, 1), 0);
	expect_refused(exos_space_map(&exos_space_own, va, filter, f.lo, 1, EXO_R_READ));
	must_eq(exos_space_map(&exos_space_own, va, guest_claim("trace"), f.lo, 1, EXO_R_READ), 0);
	seen = (const void *)va;
	expect_eq(seen->holder, exo_slot_sid((exo_slot)a));
	expect_eq(((const uint8_t *)seen->spec.receive.value)[70], 9);
	expect_eq(seen->rights, RW);
	for (unsigned i = 0; i < 512; i++)
		expect(((const uint64_t *)va)[i] < 0xffff800000000000ul);
}
