/* SPDX-License-Identifier: MIT */
/*
 * libnet_filter_test.c - the library's patterns in the kernel's classifier: who gets which packet.
 */
// sources: exo/filter.c exo/filter_check.c exo/filter_find.c exo/filter_group.c libnet/pattern.c
// includes: exo libnet/include
// flags: -include tests/host/claims_fake.h -fno-builtin
#include "test.h"

#include <exo/errors.h>
#include <net/pattern.h>

#include "filter.h"

#define RW   (EXO_R_READ | EXO_R_WRITE)
#define ROOT 8u                 /* frame of the NIC's own filter; those behind it are children */

#define FRAMES 32u

_Alignas(4096) uint8_t fake_ram[FRAMES * 4096];

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static unsigned next_pfn;

static struct filter *start(void)
{
	memset(fake_ram, 0, sizeof(fake_ram));
	filter_seed(1);
	filter_root(filter_at(ROOT), 0);
	next_pfn = ROOT + 1;
	return filter_at(ROOT);
}

static int add(struct filter *parent, struct net_flow flow, struct filter **out)
{
	struct exo_nic_spec spec, whole;
	int err;

	memset(&spec, 0, sizeof spec);
	CHECK_EQ(net_pattern_flow(&spec, &flow, own_mac), 0);
	err = filter_check(parent, &spec, RW, false, &whole);
	if (err < 0)
		return err;
	*out = filter_at(next_pfn++);
	filter_attach(parent, *out, &whole, RW, false);
	return 0;
}

static struct net_flow port(uint8_t protocol, uint8_t last, uint16_t number)
{
	return (struct net_flow){ .protocol = protocol, .local = net_addr_v4(10, 0, 2, last),
				  .local_port = number };
}

/* A packet to 10.0.2.`last`, protocol and destination port. */
static void packet(uint8_t p[128], uint8_t protocol, uint8_t last, uint16_t number)
{
	memset(p, 0, 128);
	memcpy(p, own_mac, 6);
	p[12] = 8;
	p[14] = 0x45;
	p[23] = protocol;
	memcpy(p + 30, (uint8_t[]){ 10, 0, 2, last }, 4);
	p[36] = (uint8_t)(number >> 8);
	p[37] = (uint8_t)number;
}

TEST(each_port_has_one_holder)
{
	struct filter *root = start(), *http, *other, *dns, *ping, *arp, *one;
	struct net_flow narrow = port(NET_TCP, 15, 80);
	uint8_t p[128];

	REQUIRE(add(root, port(NET_TCP, 15, 80), &http) == 0);
	REQUIRE(add(root, port(NET_TCP, 15, 81), &other) == 0);
	REQUIRE(add(root, port(NET_UDP, 15, 80), &dns) == 0);
	REQUIRE(add(root, (struct net_flow){ .protocol = NET_ICMP, .echo = 7 }, &ping) == 0);
	REQUIRE(add(root, (struct net_flow){ .ethertype = NET_ETHERTYPE_ARP }, &arp) == 0);
	narrow.remote = net_addr_v4(1, 2, 3, 4);
	narrow.remote_port = 999;
	REQUIRE(add(http, narrow, &one) == 0);
	packet(p, NET_TCP, 15, 80);
	CHECK(filter_find(root, p) == http);
	memcpy(p + 26, (uint8_t[]){ 1, 2, 3, 4, 10, 0, 2, 15, 3, 0xe7 }, 10);
	CHECK(filter_find(root, p) == one);
	packet(p, NET_TCP, 15, 81);
	CHECK(filter_find(root, p) == other);
	packet(p, NET_UDP, 15, 80);
	CHECK(filter_find(root, p) == dns);
	packet(p, NET_TCP, 16, 80);
	CHECK(filter_find(root, p) == root);
	p[13] = 6;
	CHECK(filter_find(root, p) == arp);
}

TEST(fragments_and_options_belong_to_the_wider_claim)
{
	struct filter *root = start(), *http;
	uint8_t p[128];

	REQUIRE(add(root, port(NET_TCP, 15, 80), &http) == 0);
	packet(p, NET_TCP, 15, 80);
	p[14] = 0x46;
	CHECK(filter_find(root, p) == root);
	packet(p, NET_TCP, 15, 80);
	p[20] = 0x20;
	CHECK(filter_find(root, p) == root);
	packet(p, NET_TCP, 15, 80);
	p[21] = 1;
	CHECK(filter_find(root, p) == root);
	packet(p, NET_TCP, 15, 80);
	p[20] = 0x40;
	CHECK(filter_find(root, p) == http);
}

TEST(what_overlaps_is_refused)
{
	struct filter *root = start(), *f;
	struct net_flow block = { .protocol = NET_TCP, .local_port = 64, .local_mask = 0xffe0 };

	REQUIRE(add(root, port(NET_TCP, 15, 80), &f) == 0);
	CHECK_EQ(add(root, port(NET_TCP, 15, 80), &f), -EXO_E_SPLIT);
	CHECK_EQ(add(root, (struct net_flow){ .protocol = NET_TCP }, &f), -EXO_E_SPLIT);
	CHECK_EQ(add(root, block, &f), -EXO_E_SPLIT);
	CHECK_EQ(add(root, (struct net_flow){ .protocol = NET_TCP, .local_port = 80 }, &f),
		 -EXO_E_SPLIT);
	block.local_port = 96;
	CHECK_EQ(add(root, block, &f), 0);
	CHECK_EQ(add(root, port(NET_TCP, 16, 80), &f), 0);
	/* A claim on one port cannot be narrowed to another. */
	CHECK_EQ(add(f, port(NET_TCP, 16, 81), &f), -EXO_E_RANGE);
}

TEST(a_claim_sends_as_itself_only)
{
	struct filter *root = start(), *http;
	uint8_t p[128];

	REQUIRE(add(root, port(NET_TCP, 15, 80), &http) == 0);
	memset(p, 0, sizeof p);
	memcpy(p + 6, own_mac, 6);
	p[12] = 8;
	p[14] = 0x45;
	p[23] = NET_TCP;
	memcpy(p + 26, (uint8_t[]){ 10, 0, 2, 15 }, 4);
	p[35] = 80;
	CHECK(filter_sends(http, p));
	p[35] = 81;
	CHECK(!filter_sends(http, p));
	p[35] = 80;
	p[29] = 16;
	CHECK(!filter_sends(http, p));
	/* The checksums that a device may be told to write are not named; the ports are. */
	CHECK(!filter_names_send(http, 24, 2) && !filter_names_send(http, 50, 2));
	CHECK(!filter_names_send(http, 40, 2) && filter_names_send(http, 34, 2));
}

TEST_MAIN
