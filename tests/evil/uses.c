/* SPDX-License-Identifier: MIT */
/*
 * uses.c - the same act twice, with claims that are being revoked, and with claims revoked while
 * in use; and whether the tables of this suite say something of every call and every kind.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/slot.h>
#include "evil.h"

/* So many children are more than one call ends. */
#define CHILDREN 140u

static void undo(const struct evil_call *c, const uint64_t *a, int64_t result)
{
	if (c->undo)
		c->undo(a, result);
	else
		evil_clear();
}

EXO_TEST(evil_twice_the_same, ALL)
{
	must(evil_make());
	for (unsigned i = 0; i < evil_call_count; i++) {
		const struct evil_call *c = &evil_calls[i];
		uint64_t a[EVIL_ARGS] = { 0 };
		int64_t first, second;

		if (!c->make || !c->make(a)) {
			evil_clear();
			continue;
		}
		first = evil_call(c, a);
		for (unsigned n = 0; n < EVIL_ARGS; n++) {
			if (c->arg[n].class == EVIL_SLOT)
				a[n] = guest_sid();
			if (c->arg[n].class == EVIL_THEIRS)
				a[n]++;
		}
		second = evil_call(c, a);
		if (first < 0 || (c->twice < 0 ? second != c->twice : second < 0))
			guest_fail("%s twice: %s, then %s", c->name, exo_error_name(first),
				   exo_error_name(second));
		undo(c, a, first);
	}
	evil_end();
}

/* Shares of memory and blocks, and copies of objects: as many as one likes beside each other. */
static bool burden_wide(exo_slot slot, const struct exo_cap *c)
{
	bool range = c->kind == EXO_KIND_FRAME || c->kind == EXO_KIND_BLOCK;

	for (unsigned i = 0; i < CHILDREN; i++)
		if (exo_cap_narrow(slot, guest_sid(), range ? c->lo : 0, range ? c->hi : 0,
				   range ? EXO_SHARE : 0) < 0)
			return false;
	return true;
}

/* What only one can have is given on and on. */
static bool burden_deep(exo_slot slot, const struct exo_cap *c)
{
	bool range = c->kind == EXO_KIND_SLOT || c->kind == EXO_KIND_PORT;
	uint64_t lo = range ? c->lo : 0, hi = range ? c->hi : 0;

	for (unsigned i = 0; i < CHILDREN; i++) {
		int64_t next = exo_cap_narrow(slot, guest_sid(), lo, hi, 0);

		if (next < 0)
			return false;
		slot = (exo_slot)next;
	}
	return true;
}

/* Hang so many children on a claim that revoking it takes several calls; false: it cannot. */
static bool burden(exo_slot slot)
{
	const struct exo_cap *c = exos_cap_look(slot);

	if (!c)
		return false;
	if (c->kind == EXO_KIND_SLOT || c->kind == EXO_KIND_PORT || c->kind == EXO_KIND_IRQ ||
	    c->kind == EXO_KIND_NIC || c->kind == EXO_KIND_PCI)
		return burden_deep(slot, c);
	return burden_wide(slot, c);
}

/* While a claim is being revoked nothing is done with it; when that is over, it is as before. */
static unsigned frozen(const struct evil_call *c, unsigned n)
{
	uint64_t a[EVIL_ARGS] = { 0 };
	int64_t result;

	if (!c->make(a) || !burden(a[n])) {
		printf("evil: %s with argument %u being revoked: not made\n", c->name, n);
		evil_clear();
		return 0;
	}
	expect_eq(exo_cap_revoke(a[n]), EXO_MORE);
	expect(exos_cap_look(a[n])->flags & EXO_CAP_FROZEN);
	result = evil_call(c, a);
	if (result != -EXO_E_FROZEN)
		guest_fail("%s with argument %u being revoked: %s", c->name, n,
			   exo_error_name(result));
	expect_eq(exos_cap_revoke(a[n]), 0);
	expect(!(exos_cap_look(a[n])->flags & EXO_CAP_FROZEN));
	result = evil_call(c, a);
	if (result < 0)
		guest_fail("%s when argument %u is revoked: %s", c->name, n,
			   exo_error_name(result));
	undo(c, a, result);
	return 1;
}

EXO_TEST(evil_claims_that_are_being_revoked, ALL)
{
	unsigned tried = 0;

	must(evil_make());
	for (unsigned i = 0; i < evil_call_count; i++)
		for (unsigned n = 0; n < EVIL_ARGS; n++)
			if (evil_calls[i].make && evil_calls[i].arg[n].class == EVIL_CLAIM &&
			    !(evil_calls[i].thaws & 1u << n))
				tried += frozen(&evil_calls[i], n);
	expect(tried >= 20);
	evil_end();
}

/* Bound, then taken back from above: the name is stale, and so is the act. */
static unsigned revoked(const struct evil_call *c, unsigned n)
{
	uint64_t a[EVIL_ARGS] = { 0 }, above;
	int64_t result;

	if (!evil_make())
		return 0;
	if (c->make(a) && (result = evil_call(c, a)) < 0) {
		guest_fail("%s: %s", c->name, exo_error_name(result));
	} else if (a[n] && exos_cap_look(a[n])) {
		above = evil_parent(a[n]);
		if (above == guest_claim("env"))
			expect_eq(exos_cap_drop(a[n]), 0);
		else
			expect_eq(exos_cap_revoke(above), 0);
		expect(!exos_cap_look(a[n]));
		result = evil_call(c, a);
		if (result != -EXO_E_STALE)
			guest_fail("%s with argument %u revoked in use: %s", c->name, n,
				   exo_error_name(result));
	}
	evil_end();
	return 1;
}

EXO_TEST(evil_claims_revoked_in_use, ALL)
{
	unsigned tried = 0;

	for (unsigned i = 0; i < evil_call_count; i++)
		for (unsigned n = 0; n < EVIL_ARGS; n++)
			if (evil_calls[i].make && evil_calls[i].arg[n].class == EVIL_CLAIM &&
			    evil_calls[i].number != EXO_CALL_cap_drop)
				tried += revoked(&evil_calls[i], n);
	expect(tried > 20);
}

/* The call table once more, to compare with. */
static const struct { uint32_t number, args; const char *name; } known[] = {
#define EXO_CALL(number, name, args, text)   { number, args, #name },
#define EXO_SWITCH(number, name, args, text) { number, args, #name },
#include <exo/syscalls.def>
};

static const struct evil_call *find(uint32_t number)
{
	for (unsigned i = 0; i < evil_call_count; i++)
		if (evil_calls[i].number == number)
			return &evil_calls[i];
	return NULL;
}

static bool has_number(const struct evil_call *c, unsigned n)
{
	for (unsigned i = 0; i < evil_number_count; i++)
		if (evil_numbers[i].call == c->number && evil_numbers[i].arg == n)
			return true;
	return false;
}

EXO_TEST(evil_tables_know_every_call_and_kind, ALL)
{
	for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
		const struct evil_call *c = find(known[i].number);

		if (!c || c->args != known[i].args || strcmp(c->name, known[i].name)) {
			guest_fail("%s has no row in tests/evil/table.c, or a wrong one",
				   known[i].name);
			continue;
		}
		for (unsigned n = 0; n < min_u64(c->args, EVIL_ARGS); n++) {
			if (c->arg[n].class == EVIL_NONE)
				guest_fail("%s: argument %u has no class", c->name, n);
			if (c->arg[n].class == EVIL_NUMBER && !has_number(c, n))
				guest_fail("%s: argument %u has no row in numbers.c", c->name, n);
		}
	}
	must(evil_make());
	for (unsigned kind = 1; kind < EXO_KIND_COUNT; kind++)
		if (!evil.claim[kind] && kind != EXO_KIND_BLOCK && kind != EXO_KIND_NIC &&
		    kind != EXO_KIND_PCI && kind != EXO_KIND_VCPU)
			guest_fail("no claim of kind %u to try: see tests/evil/world.c", kind);
	evil_end();
}
