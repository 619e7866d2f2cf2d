/* SPDX-License-Identifier: MIT */
/*
 * libnet_ring_test.c - packet rings against a kernel made by hand, netcfg's page, link addresses.
 */
// sources: libnet/ring.c libnet/page.c libnet/neighbour.c libnet/address.c exo/base/format.c
// includes: libexos/include libnet/include libnet
#include "test.h"

#include <stdlib.h>

#include <neighbour.h>
#include <net/packets.h>

struct exos_grant;
const struct exos_grant *exos_grant(const char *name, unsigned n);
const struct exos_grant *exos_grant(const char *name, unsigned n)
{
	(void)name;
	(void)n;
	return NULL;
}
void *exos_space_window(uint64_t claim, uint64_t pfn, uint64_t pages, uint32_t prot, int *error);
void *exos_space_window(uint64_t claim, uint64_t pfn, uint64_t pages, uint32_t prot, int *error)
{
	(void)claim;
	(void)pfn;
	(void)pages;
	(void)prot;
	(void)error;
	return NULL;
}
size_t string_copy(char *dst, const char *src, size_t bytes);
size_t string_copy(char *dst, const char *src, size_t bytes)
{
	return (size_t)snprintf(dst, bytes, "%s", src);
}

static struct exo_packets_page page;
static struct exo_rx rx[EXO_PACKETS];
static struct exo_tx tx[EXO_PACKETS];
static uint8_t data[EXO_PACKETS * EXO_PACKET_BYTES];
static unsigned kicks;

static int64_t kick(struct net_ring *ring)
{
	(void)ring;
	kicks++;
	return 5;
}

/* A fresh ring, its indices about to wrap around. */
static struct net_ring ring_make(uint32_t bytes)
{
	uint32_t start = UINT32_MAX - 3;

	memset(&page, 0, sizeof page);
	page.rx_posted = page.rx_done = page.tx_tail = page.tx_taken = page.tx_done = start;
	kicks = 0;
	return (struct net_ring){ .page = &page, .rx = rx, .tx = tx, .data = data,
				  .data_bytes = bytes, .rx_put = start, .rx_taken = start,
				  .tx_put = start, .kick = kick };
}

TEST(buffers_are_posted_filled_taken_and_posted_again)
{
	struct net_ring r = ring_make(4 * EXO_PACKET_BYTES);
	struct exo_rx got;

	CHECK(!net_ring_take(&r, &got));
	CHECK_EQ(net_ring_post_all(&r, r.data_bytes), 4);
	CHECK_EQ(page.rx_posted - page.rx_done, 4);
	for (unsigned round = 0; round < 1000; round++) {
		struct exo_rx *e = &rx[page.rx_done % EXO_PACKETS];

		e->bytes = (uint16_t)(60 + round);
		e->length = e->bytes;
		page.rx_done++;
		CHECK(net_ring_filled(&r));
		REQUIRE(net_ring_take(&r, &got));
		CHECK_EQ(got.bytes, 60 + round);
		CHECK_EQ(got.offset, round % 4 * EXO_PACKET_BYTES);
		CHECK(!net_ring_take(&r, &got));
		CHECK(net_ring_post(&r, got.offset));
		net_ring_show(&r);
		CHECK_EQ(page.rx_posted - page.rx_done, 4);
	}
}

TEST(no_more_buffers_than_places)
{
	struct net_ring r = ring_make(sizeof data);
	struct exo_rx got;

	CHECK_EQ(net_ring_post_all(&r, sizeof data), EXO_PACKETS);
	CHECK(!net_ring_post(&r, 0));
	/* Filled, but not taken: the entry may not be written. */
	page.rx_done++;
	CHECK(!net_ring_post(&r, 0));
	CHECK(net_ring_take(&r, &got));
	CHECK(net_ring_post(&r, 0));
	CHECK(!net_ring_post(&r, 0));
}

TEST(buffers_lie_in_the_data_area)
{
	struct net_ring r = ring_make(2 * EXO_PACKET_BYTES);

	CHECK(net_ring_post(&r, EXO_PACKET_BYTES));
	CHECK(!net_ring_post(&r, EXO_PACKET_BYTES + 1));
	CHECK(!net_ring_post(&r, UINT32_MAX));
	r = ring_make(EXO_PACKET_BYTES - 1);
	CHECK(!net_ring_post(&r, 0));
}

TEST(a_kernel_that_claims_too_much_is_not_believed)
{
	struct net_ring r = ring_make(4 * EXO_PACKET_BYTES);
	struct exo_rx got;
	unsigned taken = 0;

	net_ring_post_all(&r, r.data_bytes);
	page.rx_done += 77;
	while (net_ring_take(&r, &got))
		taken++;
	CHECK_EQ(taken, 4);
}

TEST(packets_of_several_parts)
{
	struct net_ring r = ring_make(sizeof data);
	struct exo_tx part[21] = { { .at = 1, .bytes = 10, .flags = EXO_TX_CHECKSUM },
				   { .at = 2, .bytes = 20 },
				   { .at = 3, .bytes = 30, .flags = EXO_TX_MORE } };
	uint32_t at = net_ring_next(&r);

	CHECK(net_ring_put(&r, part, 3));
	CHECK_EQ(tx[at].flags, EXO_TX_CHECKSUM | EXO_TX_MORE);
	CHECK_EQ(tx[(at + 1) % EXO_PACKETS].flags, EXO_TX_MORE);
	CHECK_EQ(tx[(at + 2) % EXO_PACKETS].flags, 0);
	CHECK_EQ(tx[(at + 2) % EXO_PACKETS].bytes, 30);
	CHECK(!net_ring_put(&r, part, 0) && !net_ring_put(&r, part, 21));
	/* Not shown, not kicked, before the flush; one kick for all. */
	CHECK_EQ(page.tx_tail, page.tx_done);
	CHECK_EQ(kicks, 0);
	CHECK(net_ring_put_data(&r, 100, 60));
	CHECK_EQ(net_ring_flush(&r), 5);
	CHECK_EQ(page.tx_tail - page.tx_done, 4);
	CHECK_EQ(net_ring_flush(&r), 0);
	CHECK_EQ(kicks, 1);
}

TEST(a_full_send_ring)
{
	struct net_ring r = ring_make(sizeof data);
	struct exo_tx part[3] = { { .bytes = 1 }, { .bytes = 1 }, { .bytes = 1 } };

	for (unsigned i = 0; i < EXO_PACKETS / 3; i++)
		CHECK(net_ring_put(&r, part, 3));
	CHECK_EQ(net_ring_room(&r), EXO_PACKETS % 3);
	CHECK(!net_ring_put(&r, part, 3));
	CHECK(net_ring_put(&r, part, EXO_PACKETS % 3));
	CHECK_EQ(net_ring_room(&r), 0);
	page.tx_done += 2;
	CHECK_EQ(net_ring_room(&r), 2);
	CHECK(!net_ring_put(&r, part, 3) && net_ring_put(&r, part, 2));
	/* An index that ran off means no room, not much. */
	page.tx_done -= 1000;
	CHECK_EQ(net_ring_room(&r), 0);
}

/* --- netcfg's page --- */

static struct net_page shared;

static void page_make(void)
{
	shared = (struct net_page){ .magic = NET_PAGE_MAGIC, .generation = 1, .addresses = 2,
				    .gateway4 = net_addr_v4(10, 0, 2, 2), .neighbours = 2 };
	shared.address[0] = (struct net_page_address){ net_addr_v4(10, 0, 2, 15), 24, 0, 1, 0 };
	shared.address[1] = (struct net_page_address){ net_addr_v4(10, 0, 2, 16), 24, 0, 0, 0 };
	shared.neighbour[0] = (struct net_page_neighbour){ net_addr_v4(10, 0, 2, 2),
							   { 2, 2, 2, 2, 2, 2 }, 1, 1 };
	shared.neighbour[1] = (struct net_page_neighbour){ net_addr_v4(10, 0, 2, 3),
							   { 2, 3, 3, 3, 3, 3 }, 1, 0 };
}

TEST(the_page_is_read_in_a_quiet_moment)
{
	static struct net_page copy;
	struct net_addr a = net_addr_v4(10, 0, 2, 3);
	uint8_t mac[6];

	page_make();
	CHECK(net_page_read(&shared, &copy));
	CHECK(net_page_neighbour(&shared, &a, mac) && mac[1] == 3);
	net_page_write_begin(&shared);
	CHECK(!net_page_read(&shared, &copy));
	CHECK(!net_page_neighbour(&shared, &a, mac));
	net_page_write_end(&shared);
	CHECK(net_page_read(&shared, &copy));
	CHECK_EQ(shared.sequence, 2);
	/* Counts that lie; a page of another kind. */
	shared.addresses = 9999;
	shared.neighbours = 1u << 31;
	memset(shared.notice, 'x', sizeof shared.notice);
	CHECK(net_page_read(&shared, &copy));
	CHECK_EQ(copy.addresses, NET_PAGE_ADDRESSES);
	CHECK_EQ(copy.neighbours, NET_PAGE_NEIGHBOURS);
	CHECK_EQ(strlen(copy.notice), sizeof copy.notice - 1);
	a.byte[3] = 99;
	CHECK(!net_page_neighbour(&shared, &a, mac));
	shared.magic++;
	CHECK(!net_page_read(&shared, &copy));
}

TEST(tentative_addresses_are_not_used)
{
	page_make();
	CHECK(net_page_address(&shared, 4) == &shared.address[1]);
	CHECK(net_page_address(&shared, 6) == NULL);
}

/* --- link addresses --- */

#define S 1000000000ul

TEST(link_addresses_in_order_of_trust)
{
	static struct neighbours n;
	struct net_addr near = net_addr_v4(10, 0, 2, 3), far = net_addr_v4(8, 8, 8, 8);
	struct net_addr other = net_addr_v4(10, 0, 2, 77);
	const uint8_t a[6] = { 2, 0xa }, b[6] = { 2, 0xb }, group[6] = { 1, 0, 0x5e };
	uint8_t mac[6];

	page_make();
	memset(&n, 0, sizeof n);
	n.page = &shared;
	neighbours_config(&n, &shared);
	/* On the link by its own, elsewhere by the gateway's. */
	CHECK(neighbours_find(&n, &near, S, mac) && mac[1] == 3);
	CHECK(neighbours_find(&n, &far, S, mac) && mac[1] == 2);
	CHECK(!neighbours_find(&n, &other, S, mac));
	/* Whoever sends from an address that netcfg knows does not become it. */
	neighbours_learn(&n, &near, a, S);
	CHECK(neighbours_find(&n, &near, S, mac) && mac[1] == 3);
	/* One that netcfg does not know is answered where it came from, for a while. */
	neighbours_learn(&n, &other, group, S);
	CHECK(!neighbours_find(&n, &other, S, mac));
	neighbours_learn(&n, &other, a, S);
	CHECK(neighbours_find(&n, &other, 2 * S, mac) && mac[1] == 0xa);
	neighbours_learn(&n, &other, b, 2 * S);
	CHECK(neighbours_find(&n, &other, 61 * S, mac) && mac[1] == 0xb);
	CHECK(!neighbours_find(&n, &other, 63 * S, mac));
	/* Netcfg learns it: its word counts from now on. */
	neighbours_learn(&n, &other, a, 70 * S);
	shared.neighbour[1].addr = other;
	CHECK(neighbours_find(&n, &other, 70 * S, mac) && mac[1] == 3);
	/* The page's word is asked for anew after a while. */
	memset(shared.neighbour[1].mac, 7, 6);
	CHECK(neighbours_find(&n, &other, 74 * S, mac) && mac[1] == 3);
	CHECK(neighbours_find(&n, &other, 76 * S, mac) && mac[1] == 7);
}

TEST(no_way_without_gateway)
{
	static struct neighbours n;
	struct net_addr far = net_addr_v4(8, 8, 8, 8), link = { 6, { 0xfe, 0x80 } };
	struct net_addr six = { 6, { 0x20, 0x01 } };

	page_make();
	shared.gateway4.family = 0;
	memset(&n, 0, sizeof n);
	n.page = &shared;
	neighbours_config(&n, &shared);
	CHECK_EQ(neighbours_hop(&n, &far).family, 0);
	CHECK_EQ(neighbours_hop(&n, &six).family, 0);
	CHECK(net_addr_equal(&(struct net_addr[]){ neighbours_hop(&n, &link) }[0], &link));
}

TEST_MAIN
