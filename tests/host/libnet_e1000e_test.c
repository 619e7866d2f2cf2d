/* SPDX-License-Identifier: MIT */
/*
 * libnet_e1000e_test.c - the 82574 driver against a card in memory, honest and hostile.
 *
 * Invariant: packets come out as they went in, in order, across the wrap of both rings; whatever
 * the card writes into descriptors, what the program gets lies in its buffers and what the card is
 * given are the driver's addresses.
 */
// sources: libnet/e1000e.c
// includes: libnet/include libexos/include
#include <stdlib.h>

#include <net/e1000e.h>

#include "test.h"

#define DMA 0x5000000000ul

static _Alignas(4096) uint8_t memory[NET_E1000E_PAGES * EXO_PAGE_SIZE];
static _Alignas(8) uint8_t registers[0x20000];
static struct net_e1000e card;
static uint64_t now_ns;
static unsigned rx_head, tx_head, bad, sent;
static bool stuck;
static uint8_t last[NET_E1000E_BUFFER];
static uint32_t last_bytes;

static uint32_t *reg(unsigned off) { return (uint32_t *)(registers + off); }

/* Time passes only where the driver waits: there the card obeys a reset. */
static uint64_t fake_clock(void)
{
	if (*reg(0) & 1u << 26 && !stuck) {
		memset(registers, 0, sizeof registers);
		*reg(8) = 2;
		*reg(0x5400) = 0x00545200 | 0x52;
		*reg(0x5404) = 1u << 31 | 0x1234;
		rx_head = tx_head = 0;
	}
	return now_ns += 1000000;
}

static const char *start(uint32_t event)
{
	memset(&card, 0, sizeof card);
	memset(memory, 0xee, sizeof memory);
	memset(registers, 0, sizeof registers);
	card.registers = registers;
	card.memory = memory;
	card.dma = DMA;
	card.clock_ns = fake_clock;
	card.event = event;
	stuck = false;
	bad = sent = 0;
	return net_e1000e_start(&card);
}

struct desc { uint64_t address; uint16_t bytes; uint8_t b[6]; };

static void *at(uint64_t dma, uint64_t bytes)
{
	if (dma < DMA || dma - DMA > sizeof memory || bytes > sizeof memory - (dma - DMA)) {
		bad++;
		return memory;
	}
	return memory + (dma - DMA);
}

/* The card receives: status and errors as given.  false: it has no buffer. */
static bool fake_receive(const uint8_t *p, uint32_t bytes, uint8_t status, uint8_t errors)
{
	struct desc *d = (struct desc *)at(*reg(0x2800) | (uint64_t)*reg(0x2804) << 32, 4096);

	if (rx_head == *reg(0x2818))
		return false;
	d += rx_head;
	memcpy(at(d->address, NET_E1000E_BUFFER), p, bytes);
	d->bytes = (uint16_t)bytes;
	d->b[3] = errors;
	d->b[2] = status;
	rx_head = (rx_head + 1) % NET_E1000E_RING;
	return true;
}

static void fake_send(unsigned most)
{
	struct desc *ring = (struct desc *)at(*reg(0x3800) | (uint64_t)*reg(0x3804) << 32, 4096);

	for (; most && tx_head != *reg(0x3818); most--) {
		struct desc *d = &ring[tx_head];

		if (d->b[1] != (1 | 2 | 8) || d->bytes > NET_E1000E_PACKET)
			bad++;
		memcpy(last, at(d->address, d->bytes), d->bytes);
		last_bytes = d->bytes;
		d->b[2] = 1;
		tx_head = (tx_head + 1) % NET_E1000E_RING;
		sent++;
	}
}

TEST(starts_and_stops)
{
	REQUIRE(!start(0));
	CHECK(card.mac[0] == 0x52 && card.mac[1] == 0x52);
	CHECK(card.mac[4] == 0x34 && card.mac[5] == 0x12);
	CHECK(net_e1000e_link(&card));
	CHECK_EQ(*reg(0x2818), NET_E1000E_RING - 1);
	CHECK_EQ(*reg(0x2808), 16 * NET_E1000E_RING);
	CHECK(*reg(0x100) & 2 && *reg(0x400) & 2 && !*reg(0xd0));
	CHECK(!start(5) && *reg(0xe4) == 8);
	net_e1000e_arm(&card);
	CHECK_EQ(*reg(0xd0), 1u << 20);
	memset(registers, 0xff, sizeof registers);
	CHECK(!net_e1000e_link(&card) && net_e1000e_start(&card));
}

TEST(a_card_that_does_not_reset_is_refused)
{
	start(0);
	stuck = true;
	now_ns = 0;
	CHECK(net_e1000e_start(&card) != NULL);
	CHECK(now_ns < 1000000000);
}

static void packet_make(uint8_t *p, uint32_t bytes, uint32_t number)
{
	for (uint32_t i = 0; i < bytes; i++)
		p[i] = (uint8_t)(number * 7 + i);
}

TEST(packets_come_in_order)
{
	static uint8_t p[NET_E1000E_BUFFER], q[NET_E1000E_BUFFER];
	uint32_t in = 0, out = 0, held = 0, full = 0;

	REQUIRE(!start(0));
	srand(1);
	for (unsigned step = 0; step < 20000; step++) {
		uint32_t bytes = 14 + in % 2000;
		const uint8_t *got;

		if (rand() % 2) {
			packet_make(p, bytes, in);
			if (fake_receive(p, bytes, 3, 0))
				in++;
			else
				full++;
		}
		if (rand() % 2 && (got = net_e1000e_take(&card, &bytes))) {
			CHECK_EQ(bytes, 14 + out % 2000);
			packet_make(q, bytes, out);
			CHECK(!memcmp(got, q, bytes));
			out++;
			held++;
		}
		if (held && rand() % (step / 2000 % 2 ? 2 : 4) == 0) {
			net_e1000e_give(&card);
			held--;
		}
	}
	CHECK(out > 2000 && full > 0);
	CHECK_EQ(bad, 0);
	CHECK_EQ(card.bad, 0);
}

TEST(packets_go_in_order)
{
	static uint8_t q[NET_E1000E_BUFFER];
	unsigned put = 0, full = 0;

	REQUIRE(!start(0));
	srand(2);
	CHECK(!net_e1000e_put(&card, 0) && !net_e1000e_put(&card, NET_E1000E_PACKET + 1));
	for (unsigned step = 0; step < 20000; step++) {
		uint32_t bytes = 1 + put % NET_E1000E_PACKET;
		uint8_t *p = net_e1000e_slot(&card);

		if (p) {
			packet_make(p, bytes, put);
			CHECK(net_e1000e_put(&card, bytes));
			put++;
		} else {
			CHECK(!net_e1000e_put(&card, bytes));
			full++;
		}
		if (rand() % 3 == 0)
			net_e1000e_flush(&card);
		if (rand() % 100 < 40)
			fake_send(1 + (unsigned)rand() % 2);
		if (sent) {
			packet_make(q, last_bytes, sent - 1);
			CHECK_EQ(last_bytes, 1 + (sent - 1) % NET_E1000E_PACKET);
			CHECK(!memcmp(last, q, last_bytes));
		}
	}
	CHECK(sent > 2000 && full > 0);
	CHECK_EQ(bad, 0);
}

TEST(bad_packets_are_counted_and_left_out)
{
	static uint8_t p[NET_E1000E_BUFFER];
	uint32_t bytes;

	REQUIRE(!start(0));
	packet_make(p, 100, 9);
	CHECK(fake_receive(p, 100, 3, 1));      /* an error */
	CHECK(fake_receive(p, 100, 1, 0));      /* not its end */
	CHECK(fake_receive(p, 13, 3, 0));       /* too short */
	CHECK(fake_receive(p, 100, 3, 0));
	CHECK(net_e1000e_take(&card, &bytes) && bytes == 100);
	CHECK_EQ(card.bad, 3);
	/* Behind one that is held it waits, and is left out then. */
	CHECK(fake_receive(p, 100, 3, 1));
	CHECK(fake_receive(p, 101, 3, 0));
	CHECK(!net_e1000e_take(&card, &bytes));
	net_e1000e_give(&card);
	CHECK(net_e1000e_take(&card, &bytes) && bytes == 101);
	CHECK_EQ(card.bad, 4);
	net_e1000e_give(&card);
	net_e1000e_give(&card);                 /* nothing is taken: nothing is given */
	CHECK_EQ(card.rx_given - card.rx_back - card.bad, NET_E1000E_RING - 1 - card.bad);
}

/* Random bytes in both rings at any time. */
TEST(hostile_descriptors)
{
	unsigned outside = 0, taken = 0;

	REQUIRE(!start(0));
	srand(3);
	for (unsigned step = 0; step < 300000; step++) {
		uint32_t bytes;
		const uint8_t *p;

		unsigned place = rand() % 2 ? (unsigned)rand() % EXO_PAGE_SIZE :
			(card.rx_next * 16 + (unsigned)rand() % 16) % (16 * NET_E1000E_RING);

		if (rand() % 2)
			memory[place] = (uint8_t)(rand() % (rand() % 3 ? 4 : 256));
		if ((p = net_e1000e_take(&card, &bytes))) {
			outside += p < memory + EXO_PAGE_SIZE || bytes > NET_E1000E_BUFFER ||
				   p + bytes > memory + sizeof memory;
			taken++;
		}
		if (rand() % 2)
			net_e1000e_give(&card);
		if (net_e1000e_slot(&card) && rand() % 2)
			outside += !net_e1000e_put(&card, 60);
		net_e1000e_flush(&card);
		outside += card.rx_given - card.rx_back != NET_E1000E_RING - 1 ||
			   card.tx_put - card.tx_done > NET_E1000E_RING - 1;
		outside += *reg(0x2818) >= NET_E1000E_RING || *reg(0x3818) >= NET_E1000E_RING;
	}
	CHECK_EQ(outside, 0);
	CHECK(taken > 100);
}

TEST_MAIN
