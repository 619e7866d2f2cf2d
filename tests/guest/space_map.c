/* SPDX-License-Identifier: MIT */
/*
 * space_map.c - one entry of the batched call at a time: what maps, what does not, what changes.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include "guest.h"

#define VA 0x0000200000000000ull        /* nobody else uses this part of the space */

static int64_t one(uint16_t op, exo_slot slot, uint64_t va, uint64_t pfn, uint64_t pages,
		   uint32_t prot)
{
	struct exo_map_op entry = { .slot = slot, .va = va, .pfn = pfn, .pages = (uint32_t)pages,
				    .op = op, .prot = (uint16_t)prot };

	return exo_space_update(guest_claim("space"), (uint64_t)&entry, 1);
}

EXO_TEST(map_and_unmap, SHORT)
{
	struct guest_frames f;

	must_eq(guest_frames_make(&f, 2), 0);
	must_eq(exos_space_prepare(&exos_space_own, VA, 2), 0);
	expect_eq(one(EXO_MAP, f.slot, VA, f.lo, 2, GUEST_RW), 1);
	expect_eq(guest_maps(f.lo), 1);
	expect_eq(exos_space_frame(VA + 4096), f.lo + 1);
	*(volatile uint64_t *)(VA + 4096) = 42;
	expect_eq(*(volatile uint64_t *)(VA + 4096), 42);
	expect_error(one(EXO_MAP, f.slot, VA, f.lo, 1, GUEST_RW), MAPPED);
	expect_error(one(EXO_MAP, f.slot, VA + 4096, f.lo, 1, EXO_R_READ), MAPPED);
	expect_eq(one(EXO_UNMAP, 0, VA, 0, 2, 0), 1);
	expect_eq(one(EXO_UNMAP, 0, VA, 0, 2, 0), 1);
	expect_eq(exos_space_entry(VA, NULL), 0);
	expect_eq(guest_maps(f.lo), 0);
}

EXO_TEST(write_and_execute_never_together, SHORT)
{
	struct guest_frames f;

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(exos_space_prepare(&exos_space_own, VA, 1), 0);
	expect_error(one(EXO_MAP, f.slot, VA, f.lo, 1, GUEST_RW | EXO_R_EXEC), ARG);
	expect_error(one(EXO_MAP, f.slot, VA, f.lo, 1, EXO_R_WRITE | EXO_R_EXEC), ARG);
	expect_error(one(EXO_MAP, f.slot, VA, f.lo, 1, EXO_R_WRITE), ARG);
	expect_error(one(EXO_MAP, f.slot, VA, f.lo, 1, 0), ARG);
	expect_eq(one(EXO_MAP, f.slot, VA, f.lo, 1, GUEST_RW), 1);
	expect_error(one(EXO_PROTECT, 0, VA, 0, 1, GUEST_RW | EXO_R_EXEC), ARG);
	expect_eq(exos_space_entry(VA, NULL) >> 63, 1);
	expect_eq(one(EXO_PROTECT, 0, VA, 0, 1, EXO_R_READ | EXO_R_EXEC), 1);
	expect_eq(exos_space_entry(VA, NULL) >> 63, 0);
	expect_eq(exos_space_entry(VA, NULL) & 2, 0);
	expect_eq(one(EXO_UNMAP, 0, VA, 0, 1, 0), 1);
}

EXO_TEST(addresses_that_are_not_ours_are_refused, SHORT)
{
	struct guest_frames f;
	uint64_t bad[] = { EXO_USER_TOP, EXO_USER_TOP - 4096, ~0xfffull, 0xffffffff80000000ull,
			   0xffff800000000000ull, 1ull << 62, EXO_SELF_VA, EXO_SELF_VA - 4096,
			   EXO_SELF_VA + (1ull << 39) - 4096 };

	must_eq(guest_frames_make(&f, 2), 0);
	must_eq(exos_space_prepare(&exos_space_own, VA, 2), 0);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		expect_refused(one(EXO_MAP, f.slot, bad[i], f.lo, 2, GUEST_RW));
		expect_refused(one(EXO_PROTECT, f.slot, bad[i], f.lo, 2, GUEST_RW));
		expect_refused(one(EXO_UNMAP, f.slot, bad[i], f.lo, 2, 0));
		expect_refused(one(EXO_UNLINK, 0, bad[i], 0, 0, 3) > 0 &&
			       bad[i] < EXO_USER_TOP - 4096 ? 1 : -1);
	}
	expect_error(one(EXO_MAP, f.slot, EXO_SELF_VA, f.lo, 1, EXO_R_READ), RANGE);
	expect_error(one(EXO_LINK, f.slot, EXO_SELF_VA, 0, 0, 0), KIND);
	for (unsigned i = 1; i < 4096; i <<= 1) {
		expect_error(one(EXO_MAP, f.slot, VA + i, f.lo, 1, GUEST_RW), ARG);
		expect_error(one(EXO_UNMAP, 0, VA + i, 0, 1, 0), ARG);
	}
	expect_error(one(EXO_MAP, f.slot, VA, f.lo, 0, GUEST_RW), RANGE);
	expect_error(one(EXO_MAP, f.slot, VA, f.lo, EXO_MAP_MAX + 1, GUEST_RW), RANGE);
	expect_error(one(EXO_MAP, f.slot, VA, f.lo, 0xffffffff, GUEST_RW), RANGE);
	expect_error(one(EXO_MAP, f.slot, VA, f.lo, 1, GUEST_RW | EXO_SIZE_2M | EXO_SIZE_1G), ARG);
	expect_error(one(EXO_MAP, f.slot, VA, f.lo, 1, GUEST_RW | EXO_R_CALL), ARG);
	expect_error(one(0, f.slot, VA, f.lo, 1, GUEST_RW), ARG);
	expect_error(one(6, f.slot, VA, f.lo, 1, GUEST_RW), ARG);
	expect_error(one(0xffff, f.slot, VA, f.lo, 1, GUEST_RW), ARG);
	expect_eq(one(EXO_MAP, f.slot, VA, f.lo, 2, GUEST_RW), 1);
	expect_eq(one(EXO_UNMAP, 0, VA, 0, 2, 0), 1);
}

/* Uses of frames that a TRACE claim shows. */
static bool is_traced(enum exo_use use)
{
	return use == EXO_USE_TABLE || use == EXO_USE_ENVPAGE || use == EXO_USE_PT;
}

EXO_TEST(frames_that_are_not_ours_are_refused, SHORT)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_run *runs = exos_machine_at(m->runs_off);
	exo_slot memory = guest_claim("memory");
	struct guest_frames f;

	must_eq(guest_frames_make(&f, 2), 0);
	must_eq(exos_space_prepare(&exos_space_own, VA, 1), 0);
	expect_error(one(EXO_MAP, f.slot, VA, f.hi, 1, EXO_R_READ), RANGE);
	expect_error(one(EXO_MAP, f.slot, VA, f.lo - 1, 1, EXO_R_READ), RANGE);
	expect_error(one(EXO_MAP, f.slot, VA, f.lo + (1ull << 40), 1, EXO_R_READ), RANGE);
	expect_error(one(EXO_MAP, f.slot, VA, ~0ull, 1, EXO_R_READ), RANGE);
	expect_error(one(EXO_MAP, f.slot, VA, 0, 1, EXO_R_READ), RANGE);
	/* Neither the kernel's memory nor anybody's, by whichever claim we hold. */
	for (unsigned n = 0; n < m->runs; n++)
		for (unsigned g = 0; exos_grant_at(g); g++) {
			const struct exo_cap *cap = exos_cap_look(exos_grant_at(g)->slot);

			if (!cap || (cap->kind == EXO_KIND_FRAME && runs[n].lo >= cap->lo &&
				     runs[n].lo < cap->hi))
				continue;
			if (cap->kind == EXO_KIND_TRACE && is_traced(guest_use(runs[n].lo)))
				continue;
			expect_refused(one(EXO_MAP, exos_grant_at(g)->slot, VA, runs[n].lo, 1,
					   EXO_R_READ));
		}
	/* A frame of ours that we gave away. */
	expect_error(one(EXO_MAP, memory, VA, f.lo, 1, EXO_R_READ), SPLIT);
	expect_eq(one(EXO_MAP, f.slot, VA, f.lo, 1, EXO_R_READ), 1);
	expect_eq(one(EXO_UNMAP, 0, VA, 0, 1, 0), 1);
}

EXO_TEST(exported_memory_is_read_only, SHORT)
{
	static const char *names[] = { "export", "archive" };

	must_eq(exos_space_prepare(&exos_space_own, VA, 1), 0);
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		exo_slot claim = guest_claim(names[i]);
		uint64_t lo = exos_cap_look(claim)->lo;

		expect_error(one(EXO_MAP, claim, VA, lo, 1, GUEST_RW), RIGHTS);
		expect_error(one(EXO_MAP, claim, VA, lo, 1, EXO_R_READ | EXO_R_EXEC), RIGHTS);
		expect_eq(one(EXO_MAP, claim, VA, lo, 1, EXO_R_READ), 1);
		expect_error(one(EXO_PROTECT, 0, VA, 0, 1, GUEST_RW), RIGHTS);
		expect_eq(one(EXO_UNMAP, 0, VA, 0, 1, 0), 1);
	}
}

EXO_TEST(protect_stays_within_the_claim, SHORT)
{
	struct guest_frames f;
	exo_slot reader;

	must_eq(guest_frames_make(&f, 2), 0);
	must((reader = guest_narrow(f.slot, f.lo, f.lo + 1, EXO_R_READ)) != 0);
	must_eq(exos_space_prepare(&exos_space_own, VA, 2), 0);
	expect_eq(one(EXO_MAP, reader, VA, f.lo, 1, EXO_R_READ), 1);
	expect_eq(one(EXO_MAP, f.slot, VA + 4096, f.lo + 1, 1, GUEST_RW), 1);
	expect_error(one(EXO_PROTECT, 0, VA, 0, 1, GUEST_RW), RIGHTS);
	/* A range is changed as a whole or not at all. */
	expect_error(one(EXO_PROTECT, 0, VA, 0, 2, GUEST_RW), RIGHTS);
	expect_eq(one(EXO_PROTECT, 0, VA + 4096, 0, 1, EXO_R_READ), 1);
	expect_eq(exos_space_entry(VA + 4096, NULL) & 2, 0);
	expect_eq(one(EXO_PROTECT, 0, VA + 4096, 0, 1, GUEST_RW), 1);
	*(volatile uint64_t *)(VA + 4096) = 1;
	expect_error(one(EXO_PROTECT, 0, VA + 8192, 0, 1, EXO_R_READ), NOTABLE);
	expect_eq(one(EXO_UNMAP, 0, VA, 0, 2, 0), 1);
}

EXO_TEST(device_and_traced_frames, SHORT)
{
	exo_slot trace = guest_claim("trace"), env = guest_claim("env");
	uint64_t page = exos_cap_look(env)->lo + 1, *here = (uint64_t *)VA;

	must_eq(exos_space_prepare(&exos_space_own, VA, 2), 0);
	expect_error(one(EXO_MAP, trace, VA, page, 1, GUEST_RW), RIGHTS);
	expect_error(one(EXO_MAP, trace, VA, page - 1, 1, EXO_R_READ), USE);
	expect_error(one(EXO_MAP, trace, VA, exos_cap_look(guest_claim("memory"))->lo, 1,
			 EXO_R_READ), USE);
	expect_error(one(EXO_MAP, trace, VA, 0, 1, EXO_R_READ), USE);
	expect_error(one(EXO_MAP, trace, VA, ~0ull, 1, EXO_R_READ), USE);
	expect_eq(one(EXO_MAP, trace, VA, page, 1, EXO_R_READ), 1);
	expect_eq(here[offsetof(struct exo_env_page, env_pfn) / 8], page - 1);
	expect_error(one(EXO_MAP, trace, VA + 4096, page, 1, EXO_R_READ), MAPPED);
	expect_eq(one(EXO_UNMAP, 0, VA, 0, 1, 0), 1);
	expect_eq(one(EXO_MAP, trace, VA + 4096, page, 1, EXO_R_READ), 1);
	expect_eq(one(EXO_UNMAP, 0, VA + 4096, 0, 1, 0), 1);
}

EXO_TEST(a_traced_mapping_ends_with_its_object, SHORT)
{
	exo_slot trace = guest_claim("trace"), table;
	struct guest_frames f;

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(exos_space_prepare(&exos_space_own, VA, 1), 0);
	must((table = guest_retype(f.slot, f.lo, EXO_KIND_TABLE, guest_claim("env"))) != 0);
	expect_eq(one(EXO_MAP, trace, VA, f.lo, 1, EXO_R_READ), 1);
	expect_eq(exos_space_frame(VA), f.lo);
	expect_eq(exos_cap_drop(table), 0);
	expect_eq(exos_space_entry(VA, NULL), 0);
}
