/* SPDX-License-Identifier: MIT */
/*
 * ways.c - each argument of each call made wrong in each way that its class knows.
 *
 * Invariant: each refused call is followed by a look at the own table, which is as before, and at
 * the end by the rightful call, which succeeds.
 */
#include <base/util.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/slot.h>
#include "evil.h"

static unsigned refusals;

static const char *error_of(int64_t result)
{
	return result < 0 ? exo_error_name(result) : "success";
}

/* A value that must be refused with the error. */
static void refuse(const struct evil_call *c, const uint64_t *good, unsigned n, uint64_t bad,
		   int error, const char *way)
{
	uint64_t a[EVIL_ARGS], before = evil_digest();
	int64_t result;

	for (unsigned i = 0; i < EVIL_ARGS; i++)
		a[i] = i == n ? bad : good[i];
	result = evil_call(c, a);
	refusals++;
	if (result != -error)
		guest_fail("%s: argument %u %s (%#lx): %s, expected %s", c->name, n, way, bad,
			   error_of(result), error_of(-error));
	if (evil_digest() != before)
		guest_fail("%s: argument %u %s changed a claim", c->name, n, way);
}

static void allow(const struct evil_call *c, const uint64_t *a)
{
	int64_t result = evil_call(c, a);

	if (result < 0)
		guest_fail("%s: refused to the rightful holder: %s", c->name, error_of(result));
	if (c->undo)
		c->undo(a, result);
	else
		evil_clear();
}

/* For each call that this machine can make: a pass over its arguments, then the rightful call. */
static void for_each(void (*pass)(const struct evil_call *, const uint64_t *, unsigned))
{
	unsigned made = 0;

	must(evil_make());
	for (unsigned i = 0; i < evil_call_count; i++) {
		const struct evil_call *c = &evil_calls[i];
		uint64_t a[EVIL_ARGS] = { 0 };

		if (!c->make || !c->make(a)) {
			if (c->make)
				printf("evil: no %s: this machine has not what it needs\n",
				       c->name);
			evil_clear();
			continue;
		}
		for (unsigned n = 0; n < min_u64(c->args, EVIL_ARGS); n++)
			pass(c, a, n);
		allow(c, a);
		made++;
	}
	printf("evil: %u refusals, %u rightful calls\n", refusals, made);
	expect(made > 14 && refusals >= made / 4);
	evil_end();
}

static void pass_forged(const struct evil_call *c, const uint64_t *a, unsigned n)
{
	exo_slot good = a[n], bad[24] = { 0, ~0ull, good + (1ull << 32), good - (1ull << 32),
		good ^ 1ull << 63, (uint32_t)good, good & ~0xffffffffull, good ^ 1ull << 31, 64 };

	if (c->arg[n].class != EVIL_CLAIM)
		return;
	for (unsigned i = 9; i < ARRAY_LEN(bad); i++)
		bad[i] = i % 2 ? guest_random() : good ^ guest_random() << 32;
	for (unsigned i = c->arg[n].optional; i < ARRAY_LEN(bad); i++)
		if (!exos_cap_look(bad[i]))
			refuse(c, a, n, bad[i], EXO_E_STALE, "forged");
}

EXO_TEST(evil_forged_names, ALL)
{
	for_each(pass_forged);
}

static void pass_stale(const struct evil_call *c, const uint64_t *a, unsigned n)
{
	exo_slot old = exos_cap_name(exo_slot_sid(a[n])), gone;

	if (c->arg[n].class != EVIL_CLAIM)
		return;
	gone = guest_narrow(evil.frames.slot, evil.frames.lo + 100, evil.frames.lo + 101, 0);
	expect_eq(exos_cap_drop(gone), 0);
	refuse(c, a, n, gone, EXO_E_STALE, "dropped");
	/* The slot has another tenant now. */
	gone = exo_slot_make(exo_slot_sid(old), exo_slot_gen(old) - 1);
	refuse(c, a, n, gone, EXO_E_STALE, "of the tenant before");
}

EXO_TEST(evil_stale_names, ALL)
{
	for_each(pass_stale);
}

static void pass_foreign(const struct evil_call *c, const uint64_t *a, unsigned n)
{
	exo_slot mine, theirs;

	if (c->arg[n].class != EVIL_CLAIM)
		return;
	mine = guest_narrow(evil.frames.slot, evil.frames.lo + 100, evil.frames.lo + 101, 1);
	theirs = (exo_slot)peer_give(&evil.peer, 3, mine, 1);
	must((int64_t)theirs > 0);
	refuse(c, a, n, theirs, EXO_E_STALE, "another's");
	expect_eq(exos_cap_end(mine), 0);
}

EXO_TEST(evil_names_of_others, ALL)
{
	for_each(pass_foreign);
}

static void pass_kind(const struct evil_call *c, const uint64_t *a, unsigned n)
{
	if (c->arg[n].class != EVIL_CLAIM)
		return;
	for (unsigned kind = 1; kind < EXO_KIND_COUNT; kind++)
		if (!(c->arg[n].kinds & 1u << kind) && evil.claim[kind])
			refuse(c, a, n, evil.claim[kind], EXO_E_KIND, "of another kind");
}

EXO_TEST(evil_claims_of_other_kinds, ALL)
{
	for_each(pass_kind);
}

/* The same claim without one right; 0: this one can have no copy as it is. */
static exo_slot weaker(exo_slot good, uint32_t right)
{
	const struct exo_cap *c = exos_cap_look(good);
	bool range = c && (c->kind == EXO_KIND_FRAME || c->kind == EXO_KIND_SLOT ||
			   c->kind == EXO_KIND_BLOCK || c->kind == EXO_KIND_PORT);
	int64_t made;

	if (!c)
		return 0;
	made = exo_cap_narrow(good, guest_sid(), range ? c->lo : 0, range ? c->hi : 0,
			      c->rights & ~right);
	return made > 0 ? (exo_slot)made : 0;
}

/* An interrupt that is bound has no copies, nor has a function in use: end that; its kind. */
static int put_away(exo_slot slot)
{
	const struct exo_cap *c = exos_cap_look(slot);

	if (c && c->kind == EXO_KIND_IRQ && !exo_irq_bind(slot, 0))
		return EXO_KIND_IRQ;
	if (!c || c->kind != EXO_KIND_PCI)
		return 0;
	while (exo_pci_reset(slot) == EXO_MORE)
		continue;
	return EXO_KIND_PCI;
}

static void pass_rights(const struct evil_call *c, const uint64_t *a, unsigned n)
{
	if (c->arg[n].class != EVIL_CLAIM)
		return;
	for (uint32_t right = 1; right <= EXO_R_ALL; right <<= 1) {
		exo_slot weak;
		int put;

		if (!(c->arg[n].rights & right))
			continue;
		weak = weaker(a[n], right);
		put = weak ? 0 : put_away(a[n]);
		if (put)
			weak = weaker(a[n], right);
		must(weak != 0);
		refuse(c, a, n, weak, EXO_E_RIGHTS, "without its right");
		expect_eq(exos_cap_drop(weak), 0);
		if (put)
			expect_eq(put == EXO_KIND_IRQ ? exo_irq_bind(a[n], EVIL_ENTRY)
						      : exo_pci_vector(a[n], 0, EVIL_ENTRY), 0);
	}
}

EXO_TEST(evil_claims_without_the_right, ALL)
{
	for_each(pass_rights);
}

static void pass_slots(const struct evil_call *c, const uint64_t *a, unsigned n)
{
	exo_sid taken = exo_slot_sid(guest_claim("memory"));
	uint64_t bad[] = { 0, 1, taken, ~0ull, 1ull << 32 | a[n], 0xffffffff,
		evil.frames.lo * EXO_SLOTS_PER_FRAME, evil.frames.hi * EXO_SLOTS_PER_FRAME - 1,
		evil.server.sid + 40, c->arg[n].class == EVIL_SLOT ? evil.peer.sid + 12 : taken + 1,
		exo_slot_sid(evil.claim[EXO_KIND_ENV]) };

	if (c->arg[n].class != EVIL_SLOT && c->arg[n].class != EVIL_THEIRS)
		return;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		refuse(c, a, n, bad[i], EXO_E_SLOT, "no empty slot");
}

EXO_TEST(evil_slots_that_are_not_empty_or_not_ours, ALL)
{
	for_each(pass_slots);
}

static void pass_memory(const struct evil_call *c, const uint64_t *a, unsigned n)
{
	static const uint64_t bad[] = { 0, 8, 0xffffffff80000000ull, 0xffff800000000000ull,
		1ull << 47, (1ull << 47) - 8, EXO_USER_TOP, EXO_USER_TOP - 8, ~0ull, ~0ull - 7,
		0x3ff000000000ull, 1ull << 63 };

	if (c->arg[n].class != EVIL_MEMORY)
		return;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		refuse(c, a, n, bad[i], EXO_E_FAULT, "not ours to read");
}

EXO_TEST(evil_memory_that_is_not_mapped, ALL)
{
	for_each(pass_memory);
}

static void pass_numbers(const struct evil_call *c, const uint64_t *a, unsigned n)
{
	for (unsigned i = 0; i < evil_number_count; i++) {
		const struct evil_number *row = &evil_numbers[i];

		if (row->call == c->number && row->arg == n)
			refuse(c, a, n, row->relative ? a[n] + row->add : row->add, row->error,
			       row->way);
	}
}

EXO_TEST(evil_numbers_that_lie, ALL)
{
	for_each(pass_numbers);
}
