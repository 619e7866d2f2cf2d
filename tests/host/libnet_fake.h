/* SPDX-License-Identifier: MIT */
/*
 * libnet_fake.h - kernel, NIC, cable and netcfg for the network stack in a host process.
 *
 * Two processes with a socket pair between them are two machines on a cable that may lose and
 * exchange packets.  The device reads a sent part some time after the kick, so that a buffer that
 * is used again too early shows up as wrong bytes.  Packets are given to the ring whose claim's
 * pattern they match, and sent packets must match it.  Time runs FAKE_SPEED times as fast.
 */
#ifndef LIBNET_FAKE_H
#define LIBNET_FAKE_H

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <exo/errors.h>
#include <exos/error.h>
#include <exos/gate.h>
#include <exos/event.h>
#include <exos/space.h>
#include <net/config.h>
#include <net/packets.h>
#include <net/pattern.h>

#define FAKE_SPEED   10u
#define FAKE_CLAIMS  256u
#define FAKE_PACKET  2048u
#define FAKE_LONG    65550u     /* bytes of a packet that the NIC cuts */
#define FAKE_PART    2044u      /* bytes of it in each receive buffer */
#define FAKE_LATE    16u        /* parts that the device has not read yet, at most */

struct fake_claim {
	bool used;
	struct exo_nic_spec spec;
	bool joined;                    /* its ring takes packets in several buffers */
};

static struct fake {
	int fd;                         /* the cable */
	unsigned lose, swap;            /* one packet in so many; 0: none */
	bool checksum;                  /* the NIC sums */
	bool segment;                   /* it cuts packets into segments */
	bool vouch;                     /* it looks at checksums of what it receives */
	bool join;                      /* what is to be cut goes out, and comes in, in one piece */
	unsigned joined;                /* packets longer than a buffer that came in */
	unsigned cut_off;               /* of these: cut off, since the ring does not take them */
	unsigned cut;                   /* segments that it made */
	unsigned dropped;               /* packets that found no buffer */
	unsigned wrong;                 /* packets refused by their claim, parts out of bounds */
	unsigned nobody;                /* packets for no claim */
	unsigned claims;                /* given out now */
	uint32_t random;
	uint8_t held[FAKE_PACKET];      /* a packet that waits to be overtaken */
	uint32_t held_bytes;
	uint16_t port;                  /* the next free one */
	unsigned resolve_after;         /* calls until a link address is known */
	struct fake_claim claim[FAKE_CLAIMS];
	struct net_ring *rings[FAKE_CLAIMS];
	struct net_page page;
	uint8_t peer_mac[6];
} fake;

static void fake_die(const char *what)
{
	fprintf(stderr, "fake: %s\n", what);
	abort();
}

static uint32_t fake_random(void)
{
	fake.random = fake.random * 1664525u + 1013904223u;
	return fake.random >> 8;
}

/* --- time --- */

uint64_t exos_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec) * FAKE_SPEED;
}
uint64_t exos_tsc(void) { return exos_ns(); }
uint64_t exos_tsc_to_ns(uint64_t tsc) { return tsc; }
uint64_t exos_deadline(uint64_t ns)
{
	uint64_t now = exos_ns();

	return ns > UINT64_MAX - now ? UINT64_MAX : now + ns;
}

/* --- the device --- */

static void fake_cable(const uint8_t *packet, uint32_t bytes)
{
	/* A cable that is full, or whose other end is gone, loses packets too. */
	if (send(fake.fd, packet, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN &&
	    errno != ENOTCONN &&
	    errno != EPIPE && errno != ECONNRESET && errno != ECONNREFUSED && errno != ENOBUFS)
		fake_die(strerror(errno));
}

static void fake_wire(const uint8_t *packet, uint32_t bytes)
{
	if (fake.lose && fake_random() % fake.lose == 0)
		return;
	if (fake.swap && !fake.held_bytes && fake_random() % fake.swap == 0) {
		memcpy(fake.held, packet, bytes);
		fake.held_bytes = bytes;
		return;
	}
	fake_cable(packet, bytes);
	if (fake.held_bytes)
		fake_cable(fake.held, fake.held_bytes);
	fake.held_bytes = 0;
}

static uint32_t fake_add(uint32_t sum, const uint8_t *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void fake_store(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t fake_load(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static void fake_sum(uint8_t *packet, uint32_t bytes, const struct exo_tx *tx)
{
	uint32_t at = tx->checksum_start;

	if (!fake.checksum || at + tx->checksum_offset + 2u > bytes)
		fake_die("a checksum that the device cannot make");
	fake_store(packet + at + tx->checksum_offset,
		   ~fake_add(0, packet + at, bytes - at) & 0xffff);
}

static uint32_t fake_pseudo(const uint8_t *packet, const struct exo_tx *tx, uint32_t length)
{
	bool four = tx->flags & EXO_TX_SEGMENT4;
	uint8_t rest[4] = { 0, 6 };

	fake_store(rest + 2, length);
	return fake_add(fake_add(0, packet + (four ? 26 : 22), four ? 8 : 32), rest, 4);
}

/* Segment n of a packet: its own lengths, numbers, flags and sums (RFC 791, 8200, 9293). */
static void fake_segment(uint8_t *out, const uint8_t *packet, const struct exo_tx *tx, uint32_t n,
			 uint32_t payload, bool last)
{
	uint32_t tcp = tx->checksum_start, head = tx->header, bytes = head + payload;
	uint32_t next = n * tx->segment + (fake_load(packet + tcp + 4) << 16 |
					   fake_load(packet + tcp + 6));

	memcpy(out, packet, head);
	memcpy(out + head, packet + head + n * tx->segment, payload);
	fake_store(out + tcp + 4, next >> 16);
	fake_store(out + tcp + 6, next);
	if (!last)
		out[tcp + 13] &= (uint8_t)~0x09;        /* PSH, FIN */
	if (tx->flags & EXO_TX_SEGMENT4) {
		fake_store(out + 16, bytes - 14);
		fake_store(out + 18, fake_load(packet + 18) + n);
		fake_store(out + 24, 0);
		fake_store(out + 24, ~fake_add(0, out + 14, 20) & 0xffff);
	} else {
		fake_store(out + 18, bytes - 54);
	}
	/* The sum of the pseudo header that stands there was made with the whole length. */
	fake_store(out + tcp + 16, fake_pseudo(out, tx, bytes - tcp));
	fake_sum(out, bytes, tx);
}

static bool fake_allows(const struct net_ring *ring, const uint8_t *packet)
{
	const struct fake_claim *c = ring->context;

	return net_pattern_match(&c->spec.send, packet);
}

/* What the kernel asks of such a packet, and the length that its header must say. */
static void fake_cut_check(const uint8_t *packet, uint32_t bytes, const struct exo_tx *tx)
{
	bool four = tx->flags & EXO_TX_SEGMENT4;
	uint32_t says = four ? fake_load(packet + 16) + 14 : fake_load(packet + 18) + 54;

	if (!fake.segment || !(tx->flags & EXO_TX_CHECKSUM) || tx->segment < 64 ||
	    tx->header >= bytes || tx->segment + tx->header > 1514 || says != bytes ||
	    tx->checksum_start != (four ? 34 : 54) || tx->checksum_offset != 16)
		fake_die("a packet that the device cannot cut");
	if (four && fake_add(0, packet + 14, 20) != 0xffff)
		fake_die("an IPv4 header with a wrong checksum");
}

static void fake_cut(const uint8_t *packet, uint32_t bytes, const struct exo_tx *tx)
{
	uint32_t left = bytes - tx->header;
	uint8_t out[FAKE_PACKET];

	fake_cut_check(packet, bytes, tx);
	if (fake.join) {
		fake.cut += left / tx->segment;
		if (!fake.lose || fake_random() % fake.lose)
			fake_cable(packet, bytes);
		return;
	}
	for (uint32_t n = 0; left > 0; n++) {
		uint32_t payload = left < tx->segment ? left : tx->segment;

		left -= payload;
		fake_segment(out, packet, tx, n, payload, left == 0);
		fake_wire(out, tx->header + payload);
		fake.cut++;
	}
}

/* One whole packet on its way out. */
static void fake_out(struct net_ring *ring, uint8_t *packet, uint32_t bytes,
		     const struct exo_tx *tx)
{
	if (!fake_allows(ring, packet)) {
		fake.wrong++;
	} else if (tx->flags & (EXO_TX_SEGMENT4 | EXO_TX_SEGMENT6)) {
		fake_cut(packet, bytes, tx);
	} else {
		if (bytes > FAKE_PACKET)
			fake_die("a packet longer than a packet can be");
		if (tx->flags & EXO_TX_CHECKSUM)
			fake_sum(packet, bytes, tx);
		fake_wire(packet, bytes);
	}
}

/* Send the packet that begins with part `tx_done`; the parts it has. */
static void fake_send_one(struct net_ring *ring)
{
	static uint8_t packet[FAKE_LONG];
	uint32_t bytes = 0, at = ring->page->tx_done, parts = 0;
	const struct exo_tx *first = &ring->tx[at % EXO_PACKETS], *t;

	memset(packet, 0, EXO_NIC_HEADER);
	do {
		t = &ring->tx[at++ % EXO_PACKETS];
		if (t->bytes == 0 || t->bytes > FAKE_LONG - bytes || ++parts > EXO_PACKET_PARTS)
			fake_die("a packet longer than a packet can be");
		if (!t->slot && (t->at > ring->data_bytes || t->bytes > ring->data_bytes - t->at))
			fake_die("a part outside the data area");
		memcpy(packet + bytes, t->slot ? (uint8_t *)(uintptr_t)t->at : ring->data + t->at,
		       t->bytes);
		bytes += t->bytes;
	} while (t->flags & EXO_TX_MORE);
	fake_out(ring, packet, bytes, first);
	__atomic_store_n(&ring->page->tx_done, at, __ATOMIC_RELEASE);
}

static void fake_send(struct net_ring *ring, uint32_t late)
{
	while (ring->page->tx_tail - ring->page->tx_done > late)
		fake_send_one(ring);
}

static int64_t fake_kick(struct net_ring *ring)
{
	fake_send(ring, FAKE_LATE);
	return 0;
}

static bool fake_deliver(struct net_ring *ring, const uint8_t *packet, uint32_t bytes)
{
	struct exo_packets_page *page = ring->page;
	const struct fake_claim *c = ring->context;
	uint32_t need = c->joined ? (bytes + FAKE_PART - 1) / FAKE_PART : 1;
	uint32_t done = page->rx_done, at = 0;

	if (page->rx_posted - done < need) {
		fake.dropped++;
		return false;
	}
	for (; need--; done++) {
		struct exo_rx *rx = &ring->rx[done % EXO_PACKETS];
		uint32_t part = bytes - at < FAKE_PART ? bytes - at : FAKE_PART;

		if (rx->offset > ring->data_bytes - EXO_PACKET_BYTES)
			fake_die("a receive buffer outside the data area");
		memcpy(ring->data + rx->offset, packet + at, part);
		*rx = (struct exo_rx){ .offset = rx->offset, .bytes = (uint16_t)part,
			.length = bytes, .segment = bytes > 1514 ? 1460 : 0,
			.flags = (fake.vouch ? EXO_RX_CHECKED : 0) | (need ? EXO_RX_MORE : 0) };
		at += part;
	}
	fake.joined += bytes > FAKE_PART;
	fake.cut_off += at < bytes;
	__atomic_store_n(&page->rx_done, done, __ATOMIC_RELEASE);
	return true;
}

static void fake_receive(void)
{
	static uint8_t packet[FAKE_LONG];
	ssize_t got;

	for (unsigned n = 0; n < 64; n++) {
		memset(packet, 0, EXO_NIC_HEADER);
		got = recv(fake.fd, packet, sizeof packet, MSG_DONTWAIT);
		if (got <= 0)
			return;
		for (unsigned i = 0; i <= FAKE_CLAIMS; i++) {
			struct net_ring *r = i < FAKE_CLAIMS ? fake.rings[i] : NULL;
			struct fake_claim *c = r ? r->context : NULL;

			fake.nobody += i == FAKE_CLAIMS;
			if (c && c->used && net_pattern_match(&c->spec.receive, packet)) {
				fake_deliver(r, packet, (uint32_t)got);
				break;
			}
		}
	}
}

static void fake_turn(void)
{
	for (unsigned i = 0; i < FAKE_CLAIMS; i++)
		if (fake.rings[i])
			fake_send(fake.rings[i], 0);
	fake_receive();
}

/* --- the kernel --- */

int net_ring_open(struct net_ring *ring, exo_slot nic, uint32_t frames, uint32_t event,
		  uint32_t flags)
{
	uint8_t *base;
	unsigned i = 0;

	memset(ring, 0, sizeof *ring);
	if (nic == 0 || nic > FAKE_CLAIMS || !fake.claim[nic - 1].used)
		return -EXO_E_STALE;
	base = calloc(4 + frames, EXO_PAGE_SIZE);
	ring->page = (void *)base;
	ring->rx = (void *)(base + EXO_PAGE_SIZE);
	ring->tx = (void *)(base + 2 * EXO_PAGE_SIZE);
	ring->data = base + 4 * EXO_PAGE_SIZE;
	ring->data_bytes = frames * (uint32_t)EXO_PAGE_SIZE;
	ring->frames = frames;
	ring->event = event;
	ring->kick = fake_kick;
	ring->context = &fake.claim[nic - 1];
	fake.claim[nic - 1].joined = flags & NET_RING_JOINED;
	while (i < FAKE_CLAIMS && fake.rings[i])
		i++;
	if (i == FAKE_CLAIMS)
		fake_die("too many rings");
	fake.rings[i] = ring;
	return 0;
}

void net_ring_close(struct net_ring *ring)
{
	for (unsigned i = 0; i < FAKE_CLAIMS; i++)
		if (fake.rings[i] == ring)
			fake.rings[i] = NULL;
	free(ring->page);
	memset(ring, 0, sizeof *ring);
}

uint32_t exos_event_alloc(void) { return 1; }
void exos_event_free(uint32_t entry) { (void)entry; }
void exos_event_handle(uint32_t entry, exos_event_handler *handler, void *argument)
{
	(void)entry;
	(void)handler;
	(void)argument;
}
unsigned exos_event_dispatch(void)
{
	fake_turn();
	return 0;
}
unsigned exos_event_run(uint64_t deadline_tsc)
{
	struct pollfd p = { .fd = fake.fd, .events = POLLIN };
	uint64_t now = exos_ns();
	int ms = 50;

	fake_turn();
	if (deadline_tsc && deadline_tsc <= now)
		ms = 0;
	else if (deadline_tsc && (deadline_tsc - now) / FAKE_SPEED / 1000000 < 50)
		ms = (int)((deadline_tsc - now) / FAKE_SPEED / 1000000);
	poll(&p, 1, ms);
	fake_receive();
	return 1;
}
void exos_sleep(uint64_t ns)
{
	usleep((useconds_t)(ns / FAKE_SPEED / 1000) + 1);
	fake_turn();
}

static exo_slot fake_claim_make(const struct net_flow *flow, const uint8_t *mac)
{
	for (unsigned i = 0; i < FAKE_CLAIMS; i++) {
		struct fake_claim *c = &fake.claim[i];

		if (c->used)
			continue;
		memset(c, 0, sizeof *c);
		c->used = true;
		if (flow && net_pattern_flow(&c->spec, flow, mac) < 0)
			fake_die("a flow that makes no pattern");
		fake.claims++;
		return i + 1;
	}
	fake_die("too many claims");
	return 0;
}

int exos_cap_end(exo_slot slot)
{
	if (slot == 0 || slot > FAKE_CLAIMS || !fake.claim[slot - 1].used)
		fake_die("an end of no claim");
	fake.claim[slot - 1].used = false;
	fake.claims--;
	return 0;
}

/* --- netcfg --- */

int exos_gate_open(void) { return 0; }

static int64_t fake_claim_call(struct exos_gate_message *m)
{
	const struct net_page_address *own;
	struct net_flow flow;
	uint32_t flags;

	net_claim_unpack(m, &flow, &flags);
	own = net_page_address(&fake.page, flow.family);
	if (!own)
		return NET_REFUSED + 1008;      /* NO_ADDRESS */
	flow.local = own->addr;
	if (flow.protocol == NET_TCP || flow.protocol == NET_UDP)
		flow.local_port = flow.local_port ? flow.local_port : fake.port++;
	if (flow.echo == 0xffff)
		flow.echo = fake.port++;
	m->cap = fake_claim_make(&flow, fake.page.mac);
	m->word[0] = flow.echo ? flow.echo : flow.local_port;
	m->word[1] = 77;
	m->word[2] = flow.local.family;
	net_addr_pack(&flow.local, &m->word[3]);
	return 0;
}

int64_t exos_gate_call(exo_slot gate, struct exos_gate_message *m)
{
	m->cap = 0;
	if (gate != 1)
		return -EXO_E_STALE;
	if ((m->word[0] & 0xff) == NET_OP_CLAIM)
		return fake_claim_call(m);
	if ((m->word[0] & 0xff) == NET_OP_RELEASE)
		return m->word[1] == 77 ? 0 : NET_REFUSED + EXO_E_STALE;
	if (fake.resolve_after && fake.resolve_after--)
		return NET_REFUSED + 1020;      /* RESOLVING */
	memcpy(&m->word[0], fake.peer_mac, 6);
	return 0;
}

/* --- the rest of what the library links --- */

struct exos_grant;
const struct exos_grant *exos_grant(const char *name, unsigned n);
const struct exos_grant *exos_grant(const char *name, unsigned n)
{
	(void)name;
	(void)n;
	return NULL;
}
void *exos_space_window(exo_slot claim, uint64_t pfn, uint64_t pages, uint32_t prot, int *error)
{
	(void)claim;
	(void)pfn;
	(void)pages;
	(void)prot;
	(void)error;
	return NULL;
}
const char *exo_error_text(int64_t code) { return code ? "kernel error" : "no error"; }
void exos_panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
size_t string_copy(char *dst, const char *src, size_t bytes)
{
	return (size_t)snprintf(dst, bytes, "%s", src);
}

/* Machine n (1 or 2) on a cable: addresses 10.0.0.n and fd00::n. */
static inline void fake_init(int fd, unsigned n)
{
	struct net_page *p = &fake.page;

	memset(&fake, 0, sizeof fake);
	fake.fd = fd;
	fake.random = n * 12345u;
	fake.port = (uint16_t)(50000 + 1000 * n);
	memcpy(fake.peer_mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)(3 - n) }, 6);
	*p = (struct net_page){ .magic = NET_PAGE_MAGIC, .generation = 1, .mtu = 1500,
				.state = NET_STATE_READY, .link = 1, .addresses = 2 };
	memcpy(p->mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)n }, 6);
	p->address[0] = (struct net_page_address){ net_addr_v4(10, 0, 0, (uint8_t)n), 24, 0, 0, 0 };
	p->address[1] = (struct net_page_address){
		{ 6, { 0xfd, [15] = (uint8_t)n } }, 64, 0, 0, 0 };
}

static inline void fake_neighbour(const struct net_addr *addr)
{
	struct net_page_neighbour *e = &fake.page.neighbour[fake.page.neighbours++];

	e->addr = *addr;
	memcpy(e->mac, fake.peer_mac, 6);
}

#endif
