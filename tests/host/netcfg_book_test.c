/* SPDX-License-Identifier: MIT */
/*
 * netcfg_book_test.c - ports and packets given out, their limits, and nothing given twice.
 */
// sources: services/netcfg/book.c libnet/address.c exo/base/string.c exo/base/format.c
// includes: services/netcfg libnet/include
#include "book.h"

#include <exo/errors.h>
#include <net/error.h>
#include <stdlib.h>

#include "test.h"

static struct book book;

static struct net_flow flow(uint8_t protocol, uint16_t port)
{
	return (struct net_flow){
		.ethertype = NET_ETHERTYPE_IPV4, .family = 4, .protocol = protocol,
		.local_port = port, .local = net_addr_v4(10, 0, 2, 15),
	};
}

/* Ask and, if it is granted, take; the error or 0. */
static int take(uint32_t client, struct net_flow *f, bool share, struct book_entry **out)
{
	int error = book_ask(&book, client, f, share);
	struct book_entry *e = error ? NULL : book_take(&book, client, f, share);

	if (out)
		*out = e;
	if (!error && !e)
		test_fail("granted, but there is no entry");
	return error;
}

TEST(a_port_is_given_once)
{
	struct net_flow a = flow(NET_TCP, 80), b = flow(NET_TCP, 80), c = flow(NET_UDP, 80);
	struct net_flow six = flow(NET_TCP, 80);
	struct book_entry *e;

	book_init(&book, 0);
	CHECK_EQ(take(BOOK_INIT, &a, false, &e), 0);
	CHECK_EQ(a.local_port, 80);
	CHECK_EQ(take(BOOK_SHELL, &b, false, NULL), NET_E_PORT_USED);
	CHECK_EQ(take(BOOK_SHELL, &c, false, NULL), 0);
	six.family = 6;
	six.ethertype = NET_ETHERTYPE_IPV6;
	six.local = (struct net_addr){ 6, { 0xfe, 0xc0 } };
	CHECK_EQ(take(BOOK_SHELL, &six, false, NULL), 0);
	CHECK(book_has_port(&book, 4, NET_TCP, 80));
	CHECK(!book_has_port(&book, 4, NET_TCP, 81));
	book_drop(&book, e);
	CHECK(!book_has_port(&book, 4, NET_TCP, 80));
	CHECK_EQ(take(BOOK_CHILD, &b, false, NULL), 0);
}

TEST(any_port_is_a_free_one)
{
	uint8_t seen[0x10000] = { 0 };

	book_init(&book, 12345);
	for (int i = 0; i < 64; i++) {
		struct net_flow f = flow(NET_TCP, 0);

		CHECK_EQ(take(BOOK_CHILD, &f, false, NULL), 0);
		CHECK(f.local_port >= BOOK_FREE_LO);
		CHECK(!seen[f.local_port]);
		seen[f.local_port] = 1;
	}
}

TEST(a_port_given_back_rests)
{
	struct net_flow a = flow(NET_TCP, 0), b = flow(NET_TCP, 0);
	struct book_entry *e;

	book_init(&book, 7);
	CHECK_EQ(take(BOOK_CHILD, &a, false, &e), 0);
	book_drop(&book, e);
	CHECK_EQ(take(BOOK_CHILD, &b, false, NULL), 0);
	CHECK(a.local_port != b.local_port);
}

TEST(the_last_free_ports_are_found)
{
	struct net_flow low = flow(NET_TCP, 0xc000), f;

	book_init(&book, 99);
	low.local_mask = 0xe000;        /* 49152 to 57343 */
	CHECK_EQ(take(BOOK_SHELL, &low, false, NULL), 0);
	low.local_port = 0xe000;
	low.local_mask = 0xf000;        /* to 61439 */
	CHECK_EQ(take(BOOK_SHELL, &low, false, NULL), 0);
	low.local_port = 0xf000;
	low.local_mask = 0xf800;        /* to 63487 */
	CHECK_EQ(take(BOOK_SHELL, &low, false, NULL), 0);
	f = flow(NET_TCP, 0);
	CHECK_EQ(take(BOOK_CHILD, &f, false, NULL), 0);
	CHECK(f.local_port >= 63488);
	low.local_port = 0xf800;
	CHECK_EQ(take(BOOK_SHELL, &low, false, NULL), NET_E_PORT_USED);
}

TEST(no_port_is_left)
{
	struct net_flow all = flow(NET_UDP, 0xc000), f = flow(NET_UDP, 0), t = flow(NET_TCP, 0);

	book_init(&book, 0);
	all.local_mask = 0xc000;
	CHECK_EQ(take(BOOK_INIT, &all, false, NULL), 0);
	CHECK_EQ(take(BOOK_CHILD, &f, false, NULL), NET_E_NO_PORT);
	CHECK_EQ(f.local_port, 0);
	CHECK_EQ(take(BOOK_CHILD, &t, false, NULL), 0);
}

TEST(a_client_reaches_its_limit_alone)
{
	struct net_flow f;
	int given = 0;

	book_init(&book, 0);
	for (;; given++) {
		f = flow(NET_TCP, 0);
		if (take(BOOK_CHILD, &f, false, NULL) != 0)
			break;
	}
	CHECK_EQ(book_ask(&book, BOOK_CHILD, &f, false), NET_E_LIMIT);
	CHECK(given > 0 && given < (int)BOOK_ENTRIES);
	f = flow(NET_TCP, 22);
	CHECK_EQ(take(BOOK_SHELL, &f, false, NULL), 0);
	f = flow(NET_TCP, 80);
	CHECK_EQ(take(BOOK_INIT, &f, false, NULL), 0);
}

TEST(all_limits_together_fit)
{
	book_init(&book, 0);
	for (uint32_t client = 0; client < BOOK_CLIENTS; client++)
		for (;;) {
			struct net_flow f = flow(NET_TCP, 0);
			int error = take(client, &f, false, NULL);

			if (error == NET_E_LIMIT)
				break;
			REQUIRE(error == 0);
		}
}

TEST(shares_are_few_and_not_for_children)
{
	struct net_flow none = { .ethertype = 0 }, f = none;

	book_init(&book, 0);
	CHECK_EQ(take(BOOK_CHILD, &f, true, NULL), NET_E_DENIED);
	for (uint32_t i = 0; i < BOOK_SHARES; i++)
		CHECK_EQ(take(BOOK_SHELL, &f, true, NULL), 0);
	CHECK_EQ(take(BOOK_SHELL, &f, true, NULL), NET_E_LIMIT);
	f = flow(NET_TCP, 80);
	CHECK_EQ(take(BOOK_SHELL, &f, false, NULL), 0);
	CHECK(book_has_port(&book, 4, NET_TCP, 80));
}

TEST(what_is_netcfgs_own)
{
	struct net_flow f = flow(NET_UDP, 68);

	book_init(&book, 0);
	CHECK_EQ(take(BOOK_SHELL, &f, false, NULL), NET_E_PORT_USED);
	f = flow(NET_TCP, 68);
	CHECK_EQ(take(BOOK_SHELL, &f, false, NULL), 0);
	f = flow(NET_UDP, 64);
	f.local_mask = 0xfff0;
	CHECK_EQ(take(BOOK_SHELL, &f, false, NULL), NET_E_PORT_USED);
	f = (struct net_flow){ .ethertype = NET_ETHERTYPE_ARP };
	CHECK_EQ(take(BOOK_SHELL, &f, false, NULL), NET_E_DENIED);
	f = (struct net_flow){ .ethertype = 0x88b5 };
	CHECK_EQ(take(BOOK_CHILD, &f, false, NULL), 0);
	CHECK_EQ(take(BOOK_SHELL, &f, false, NULL), NET_E_PORT_USED);
	f = (struct net_flow){ .ethertype = 0 };
	CHECK_EQ(take(BOOK_SHELL, &f, false, NULL), NET_E_DENIED);
	f = flow(NET_ICMP, 0);
	CHECK_EQ(take(BOOK_SHELL, &f, false, NULL), NET_E_DENIED);
	f = flow(47, 0);
	CHECK_EQ(take(BOOK_SHELL, &f, false, NULL), NET_E_DENIED);
	f = flow(NET_TCP, 81);
	CHECK_EQ(take(BOOK_CLIENTS, &f, false, NULL), NET_E_DENIED);
	CHECK_EQ(take(0xffffffff, &f, false, NULL), NET_E_DENIED);
	f.local_mask = 0xff00;
	CHECK_EQ(take(BOOK_CHILD, &f, false, NULL), NET_E_DENIED);
}

TEST(echo_identifiers)
{
	struct net_flow a = flow(NET_ICMP, 0), b;

	a.echo = BOOK_ANY_ECHO;
	b = a;
	book_init(&book, 5);
	CHECK_EQ(take(BOOK_CHILD, &a, false, NULL), 0);
	CHECK_EQ(take(BOOK_CHILD, &b, false, NULL), 0);
	CHECK(a.echo != b.echo && a.echo != BOOK_ANY_ECHO && b.echo != 0);
	CHECK_EQ(take(BOOK_CHILD, &a, false, NULL), NET_E_PORT_USED);
}

TEST(a_port_may_be_cut_by_the_other_side)
{
	struct net_flow a = flow(NET_TCP, 80), b = flow(NET_TCP, 80), all = flow(NET_TCP, 80);

	a.remote = net_addr_v4(10, 0, 2, 2);
	b.remote = net_addr_v4(10, 0, 2, 3);
	book_init(&book, 5);
	CHECK_EQ(take(BOOK_CHILD, &a, false, NULL), 0);
	CHECK_EQ(take(BOOK_CHILD, &b, false, NULL), 0);
	CHECK_EQ(take(BOOK_CHILD, &all, false, NULL), NET_E_PORT_USED);
}

TEST(numbers_are_not_guessed_or_used_twice)
{
	struct net_flow f = flow(NET_TCP, 80), g = flow(NET_TCP, 80);
	struct book_entry *e;
	uint32_t number;

	book_init(&book, 0);
	REQUIRE(take(BOOK_SHELL, &f, false, &e) == 0);
	number = book_number(&book, e);
	CHECK(book_find(&book, BOOK_SHELL, number) == e);
	CHECK(book_find(&book, BOOK_CHILD, number) == NULL);
	CHECK(book_find(&book, BOOK_SHELL, number + 1) == NULL);
	CHECK(book_find(&book, BOOK_SHELL, number + BOOK_ENTRIES) == NULL);
	book_drop(&book, e);
	book_drop(&book, e);
	CHECK(book_find(&book, BOOK_SHELL, number) == NULL);
	REQUIRE(take(BOOK_SHELL, &g, false, &e) == 0);
	CHECK(book_find(&book, BOOK_SHELL, number) == NULL);
	CHECK_EQ(book.used[BOOK_SHELL], 1);
}

/* Against a plain model: port given iff nobody has it, for random asking and giving back. */
TEST(random_against_a_model)
{
	static struct book_entry *have[2][64];
	unsigned seed = 3;

	memset(have, 0, sizeof(have));
	book_init(&book, 0);
	for (int round = 0; round < 100000; round++) {
		unsigned udp, port;
		struct book_entry *e;
		struct net_flow f;

		seed = seed * 1103515245u + 12345;
		udp = seed >> 30 & 1;
		port = seed >> 16 & 15;
		f = flow(udp ? NET_UDP : NET_TCP, (uint16_t)(100 + port));
		if (seed >> 29 & 1) {
			int error = take(BOOK_SHELL, &f, false, &e);

			if (error != (have[udp][port] ? NET_E_PORT_USED : 0))
				test_fail("port %u: %d", port, error);
			if (!error)
				have[udp][port] = e;
		} else if (have[udp][port]) {
			book_drop(&book, have[udp][port]);
			have[udp][port] = NULL;
		}
	}
}

TEST_MAIN
