/* SPDX-License-Identifier: MIT */
/*
 * nic_offload.c - what the device does to packets for us: checksums, cutting them into segments.
 *
 * Where the NIC can (not over a user-mode network), 10.0.2.2 judges: it answers a TCP segment for a
 * port where nobody listens with a reset, if checksums and lengths are right, and else not at all.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/space.h>
#include "nic.h"

#define HOST    60u                     /* we are 10.0.2.60 */
#define PORT    9u                      /* nobody listens there */
#define HEADERS 54u                     /* Ethernet, IPv4, TCP */
#define PAYLOAD 6000u

static void put16(uint8_t *p, unsigned v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }

/* The one's complement sum (RFC 1071) of 16-bit words. */
static unsigned sum16(const uint8_t *p, unsigned bytes, unsigned sum)
{
	for (unsigned i = 0; i < bytes; i += 2)
		sum += (unsigned)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Headers of a TCP segment with `payload` bytes; the checksum is that of the pseudo header. */
static void tcp_make(uint8_t p[HEADERS], const uint8_t gateway[6], unsigned payload, unsigned from)
{
	const uint8_t addresses[] = { 10, 0, 2, HOST, 10, 0, 2, 2 };

	memset(p, 0, HEADERS);
	memcpy(p, gateway, 6);
	memcpy(p + 6, nic_info()->mac, 6);
	put16(p + 12, 0x0800);
	p[14] = 0x45;
	put16(p + 16, 40 + payload);
	p[22] = 64;
	p[23] = 6;
	memcpy(p + 26, addresses, 8);
	put16(p + 24, ~sum16(p + 14, 20, 0) & 0xffff);
	put16(p + 34, from);
	put16(p + 36, PORT);
	p[46] = 0x50;                   /* 20 bytes */
	p[47] = 0x10;                   /* ACK */
	put16(p + 48, 1000);
	put16(p + 50, sum16(addresses, 8, 6 + 20 + payload));
}

/* Resets for this port that come within a second; at most `most` are waited for. */
static unsigned resets(struct ring *r, unsigned port, unsigned most)
{
	const struct exo_rx *e;
	const uint8_t *p;
	unsigned count = 0;

	while (count < most && (p = ring_receive(r, &e, 1000))) {
		count += e->bytes >= HEADERS && p[12] == 8 && p[23] == 6 && p[35] == PORT &&
		         ((unsigned)p[36] << 8 | p[37]) == port && (p[47] & 4);
		ring_repost(r);
	}
	return count;
}

/* The gateway's station address, from its answer to a request. */
static bool gateway_find(struct ring *r, uint8_t gateway[6])
{
	uint8_t packet[ARP_BYTES];
	const struct exo_rx *e;
	const uint8_t *p;

	arp_request(packet, HOST);
	ring_packet(r, packet, ARP_BYTES);
	if (!ring_done(r, 3000))
		return false;
	while ((p = ring_receive(r, &e, 3000))) {
		bool is = arp_is_answer(p, e->bytes, HOST);

		memcpy(gateway, p + 6, 6);
		ring_repost(r);
		if (is)
			return true;
	}
	return false;
}

EXO_TEST(nic_the_device_makes_checksums_and_segments, NIC)
{
	uint8_t gateway[6], head[HEADERS];
	struct guest_frames f;
	struct exo_tx *t;
	struct ring r;

	if (!(nic_info()->flags & EXO_NIC_CHECKSUM))
		guest_skip("this NIC (on a user-mode network) makes no checksums");
	must_eq(ring_open(&r, guest_claim("nic")), 0);
	must_eq(guest_frames_make(&f, 2), 0);
	must(gateway_find(&r, gateway));
	/* Without the device the checksum is wrong: no answer. */
	tcp_make(head, gateway, 0, 5000);
	ring_packet(&r, head, HEADERS);
	must(ring_done(&r, 3000));
	expect_eq(resets(&r, 5000, 1), 0);
	t = ring_packet(&r, head, HEADERS);
	t->flags = EXO_TX_CHECKSUM;
	t->checksum_start = 34;
	t->checksum_offset = 16;
	must(ring_done(&r, 3000));
	expect_eq(resets(&r, 5000, 1), 1);
	if (nic_info()->flags & EXO_NIC_SEGMENT4) {
		tcp_make(head, gateway, PAYLOAD, 5001);
		t = ring_packet(&r, head, HEADERS);
		t->flags = EXO_TX_CHECKSUM | EXO_TX_SEGMENT4 | EXO_TX_MORE;
		t->checksum_start = 34;
		t->checksum_offset = 16;
		t->segment = 1400;
		t->header = HEADERS;
		ring_part(&r, f.slot, f.lo * EXO_PAGE_SIZE + 100, PAYLOAD, 0);
		must(ring_done(&r, 3000));
		expect(resets(&r, 5001, 1) >= 1);
		t = ring_packet(&r, head, HEADERS);     /* too long to be sent as it is */
		t->flags = EXO_TX_MORE;
		ring_part(&r, f.slot, f.lo * EXO_PAGE_SIZE, PAYLOAD, 0);
		must(ring_done(&r, 3000));
		expect_eq(r.page->error, -EXO_E_RANGE);
	}
	expect_eq(r.page->refused, nic_info()->flags & EXO_NIC_SEGMENT4 ? 1 : 0);
	ring_close(&r);
}
