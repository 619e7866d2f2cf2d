/* SPDX-License-Identifier: MIT */
/*
 * netcfg_lease_test.c - when a lease is asked for again.
 */
// sources: services/netcfg/lease_act.c
// includes: services/netcfg
#include "lease.h"

#include "test.h"

/* What happens in each second of a lease that nobody renews: how often each, and the first time. */
struct life {
	uint32_t renews, rebinds, first, last, first_rebind, end;
};

static struct life live(struct lease l, uint32_t until)
{
	struct life life = { 0 };

	for (uint32_t age = 0; age < until && life.end == 0; age++) {
		enum lease_act act = lease_act(&l, age);

		if (act == LEASE_RENEW && life.renews++ == 0)
			life.first = age;
		if (act == LEASE_REBIND && life.rebinds++ == 0)
			life.first_rebind = age;
		if (act == LEASE_RENEW || act == LEASE_REBIND)
			life.last = age;
		if (act == LEASE_END)
			life.end = age;
	}
	return life;
}

TEST(an_hour)
{
	struct life life = live((struct lease){ .t0 = 3600, .t1 = 1800, .t2 = 3150 }, 10000);

	CHECK_EQ(life.first, 1800);
	CHECK_EQ(life.first_rebind, 3150);
	CHECK_EQ(life.end, 3600);
	CHECK(life.renews >= 4 && life.renews <= 20);
	CHECK(life.rebinds >= 2 && life.rebinds <= 8);
}

TEST(ten_seconds)
{
	struct life life = live((struct lease){ .t0 = 10, .t1 = 5, .t2 = 8 }, 100);

	CHECK_EQ(life.first, 5);
	CHECK_EQ(life.first_rebind, 8);
	CHECK_EQ(life.end, 10);
	CHECK(life.renews + life.rebinds <= 5);
}

TEST(for_ever)
{
	struct lease l = { .t0 = LEASE_FOR_EVER, .t1 = LEASE_FOR_EVER, .t2 = LEASE_FOR_EVER };

	CHECK_EQ(lease_act(&l, 0), LEASE_KEEP);
	CHECK_EQ(lease_act(&l, 0xfffffffe), LEASE_KEEP);
	CHECK_EQ(lease_act(&l, 0xffffffff), LEASE_KEEP);
}

TEST(times_that_make_no_sense)
{
	struct lease late = { .t0 = 100, .t1 = 500, .t2 = 200 }, none = { .t0 = 0 };
	struct lease turned = { .t0 = 100, .t1 = 90, .t2 = 20 };

	CHECK_EQ(lease_act(&late, 99), LEASE_KEEP);
	CHECK_EQ(lease_act(&late, 100), LEASE_END);
	CHECK_EQ(lease_act(&none, 0), LEASE_END);
	CHECK_EQ(lease_act(&turned, 50), LEASE_KEEP);
	CHECK_EQ(lease_act(&turned, 90), LEASE_REBIND);
	CHECK_EQ(lease_act(&turned, 90), LEASE_KEEP);
	CHECK_EQ(lease_act(&turned, 100), LEASE_END);
}

TEST_MAIN
