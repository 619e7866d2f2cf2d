/* SPDX-License-Identifier: MIT */
/*
 * libnet_join_test.c - which received segments may go up as one, and what their headers say then.
 */
// sources: libnet/stack_head.c libnet/stack_join.c
// includes: libexos/include libnet/include libnet build/src/lwip/src/include libnet/lwip/include
#include "test.h"

#include <exo/nic.h>
#include <lwip/pbuf.h>

#include <stack_join.h>

enum { IP = 14, TCP4 = 34, TCP6 = 54, PAYLOAD = 1000, PACKETS = 64 };

static uint8_t bytes[PACKETS][2048];
static struct pbuf pbufs[PACKETS];
static struct stack_join join;

u8_t pbuf_remove_header(struct pbuf *p, size_t count)
{
	p->payload = (uint8_t *)p->payload + count;
	p->len = (u16_t)(p->len - count);
	p->tot_len = (u16_t)(p->tot_len - count);
	return 0;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static void sum4(uint8_t *h)
{
	uint32_t sum = 0;

	put16(h + 24, 0);
	for (unsigned i = IP; i < TCP4; i += 2)
		sum += get16(h + i);
	put16(h + 24, ~(sum % 0xffff) & 0xffff);
}

/* Packet n of a stream: n * PAYLOAD bytes from its start, which lies just below 2^32. */
static struct pbuf *packet(unsigned n, bool six)
{
	uint32_t tcp = six ? TCP6 : TCP4, number = 0xffffff00u + n * PAYLOAD;
	uint8_t *h = memset(bytes[n], 0, sizeof bytes[n]);

	put16(h + 12, six ? 0x86dd : 0x0800);
	h[IP] = six ? 0x60 : 0x45;
	h[six ? 20 : 23] = 6;
	put16(h + (six ? 18 : 16), six ? 20 + PAYLOAD : 40 + PAYLOAD);
	put16(h + tcp, 4000);
	put16(h + tcp + 2, 80);
	put16(h + tcp + 4, number >> 16);
	put16(h + tcp + 6, number);
	h[tcp + 12] = 0x50;
	h[tcp + 13] = 0x10;
	put16(h + tcp + 14, 100 + n);
	if (!six) {
		put16(h + 18, 7 * n);
		sum4(h);
	}
	memset(h + tcp + 20, (int)n, PAYLOAD);
	pbufs[n] = (struct pbuf){ .payload = h, .len = (u16_t)(tcp + 20 + PAYLOAD),
				  .tot_len = (u16_t)(tcp + 20 + PAYLOAD), .ref = 1 };
	return &pbufs[n];
}

static void begin(bool six)
{
	stack_join_begin(&join, packet(0, six), EXO_RX_CHECKED);
}

static void follow(bool six)
{
	struct pbuf *whole;
	uint32_t tcp = six ? TCP6 : TCP4;
	const uint8_t *h;

	begin(six);
	bytes[2][0] = 0;
	CHECK(stack_join_add(&join, packet(1, six), EXO_RX_CHECKED));
	packet(2, six);
	bytes[2][tcp + 13] |= 8;
	CHECK(stack_join_add(&join, &pbufs[2], EXO_RX_CHECKED));
	whole = stack_join_end(&join);
	h = whole->payload;
	CHECK_EQ(whole->tot_len, tcp + 20 + 3 * PAYLOAD);
	CHECK_EQ(get16(h + (six ? 18 : 16)), (six ? 20 : 40) + 3 * PAYLOAD);
	CHECK_EQ(h[tcp + 13], 0x18);
	CHECK_EQ(get16(h + tcp + 14), 102);
	CHECK_EQ(get16(h + tcp + 6), 0xff00);
	CHECK(whole->next == &pbufs[1] && whole->next->next == &pbufs[2] && !pbufs[2].next);
	CHECK_EQ(pbufs[1].tot_len, 2 * PAYLOAD);
	CHECK_EQ(pbufs[2].tot_len, PAYLOAD);
	CHECK_EQ(((uint8_t *)pbufs[2].payload)[0], 2);
}

TEST(what_follows_is_joined)
{
	follow(false);
	follow(true);
}

TEST(a_packet_alone_is_left_as_it_is)
{
	uint8_t before[2048];
	struct pbuf *whole;

	begin(false);
	memcpy(before, bytes[0], sizeof before);
	whole = stack_join_end(&join);
	CHECK(whole == &pbufs[0] && !whole->next && whole->tot_len == TCP4 + 20 + PAYLOAD);
	CHECK(memcmp(before, bytes[0], sizeof before) == 0);
}

/* A segment that would follow, but for this byte; its IPv4 sum is right. */
static bool joins_with(unsigned at, uint8_t value)
{
	begin(false);
	packet(1, false);
	bytes[1][at] = value;
	sum4(bytes[1]);
	return stack_join_add(&join, &pbufs[1], EXO_RX_CHECKED);
}

TEST(what_differs_is_not_joined)
{
	CHECK(joins_with(18, 99));              /* identification */
	CHECK(joins_with(TCP4 + 13, 0x18));     /* PSH */
	CHECK(!joins_with(0, 1));               /* link address */
	CHECK(!joins_with(13, 6));              /* ARP */
	CHECK(!joins_with(IP, 0x46));           /* options */
	CHECK(!joins_with(15, 3));              /* congestion was met (RFC 3168) */
	CHECK(!joins_with(20, 0x20));           /* a fragment */
	CHECK(!joins_with(21, 1));
	CHECK(!joins_with(22, 9));              /* hops */
	CHECK(!joins_with(23, 17));             /* UDP */
	CHECK(!joins_with(26, 9));              /* addresses */
	CHECK(!joins_with(33, 9));
	CHECK(!joins_with(TCP4, 9));            /* ports */
	CHECK(!joins_with(TCP4 + 3, 81));
	CHECK(!joins_with(TCP4 + 7, 0xe7));     /* a gap of one byte */
	CHECK(!joins_with(TCP4 + 11, 1));       /* acknowledges more */
	CHECK(!joins_with(TCP4 + 12, 0x60));    /* TCP options */
	CHECK(!joins_with(TCP4 + 12, 0xf0));
	CHECK(!joins_with(TCP4 + 12, 0));       /* no TCP header at all */
	for (unsigned flag = 1; flag < 0x100; flag <<= 1)
		CHECK_EQ(joins_with(TCP4 + 13, (uint8_t)(0x10 | flag)),
			 flag == 0x08 || flag == 0x10);
	CHECK(!joins_with(TCP4 + 13, 0x08));
	CHECK(!joins_with(TCP4 + 19, 1));       /* urgent pointer */
}

TEST(sums_must_be_right)
{
	begin(false);
	packet(1, false);
	bytes[1][25] ^= 1;
	CHECK(!stack_join_add(&join, &pbufs[1], EXO_RX_CHECKED));
	CHECK(!stack_join_add(&join, packet(1, false), 0));
	CHECK(stack_join_add(&join, packet(1, false), EXO_RX_CHECKED));
	/* Nor does anything follow one whose sums are not known, or wrong. */
	stack_join_begin(&join, packet(0, false), 0);
	CHECK(!stack_join_add(&join, packet(1, false), EXO_RX_CHECKED));
	packet(0, false);
	bytes[0][24] ^= 1;
	stack_join_begin(&join, &pbufs[0], EXO_RX_CHECKED);
	CHECK(!stack_join_add(&join, packet(1, false), EXO_RX_CHECKED));
}

TEST(lengths_must_be_right)
{
	begin(false);
	packet(1, false);
	pbufs[1].len = pbufs[1].tot_len = TCP4 + 20 + PAYLOAD - 1;
	CHECK(!stack_join_add(&join, &pbufs[1], EXO_RX_CHECKED));
	packet(1, false);
	pbufs[1].len = pbufs[1].tot_len = TCP4 + 20 + PAYLOAD + 1;
	CHECK(!stack_join_add(&join, &pbufs[1], EXO_RX_CHECKED));
	/* Headers that are not all there. */
	for (u16_t length = 1; length <= TCP4 + 20; length++) {
		packet(1, false);
		put16(bytes[1] + 16, length > IP ? length - IP : 0u);
		sum4(bytes[1]);
		pbufs[1].len = pbufs[1].tot_len = length;
		CHECK(!stack_join_add(&join, &pbufs[1], EXO_RX_CHECKED));
		stack_join_begin(&join, &pbufs[1], EXO_RX_CHECKED);
		CHECK(!stack_join_add(&join, packet(2, false), EXO_RX_CHECKED));
		begin(false);
	}
}

TEST(there_is_an_end_to_it)
{
	unsigned n = 1;

	begin(false);
	while (n < PACKETS && stack_join_add(&join, packet(n, false), EXO_RX_CHECKED))
		n++;
	CHECK_EQ(n, STACK_JOIN_MOST);
	CHECK(stack_join_end(&join)->tot_len == TCP4 + 20 + n * PAYLOAD);
}

TEST_MAIN
