/* SPDX-License-Identifier: MIT */
/*
 * nic_ring.c - making and using packet rings (nic.h); the tests are in nic.c and nic_hostile.c.
 */
#include <base/string.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "nic.h"

#define SEND_PLACES (RING_DATA * EXO_PAGE_SIZE / 2 / 2048)

static void post(struct ring *r, uint32_t offset)
{
	uint32_t n = r->page->rx_posted;

	r->rx[n % EXO_PACKETS].offset = offset;
	__atomic_store_n(&r->page->rx_posted, n + 1, __ATOMIC_RELEASE);
}

static int ring_map(struct ring *r)
{
	int err = 0;

	r->page = exos_space_window(r->ring, r->frames.lo + EXO_PACKETS_PAGE, 4 + RING_DATA,
				    GUEST_RW, &err);
	if (!r->page)
		return err;
	r->rx = (void *)((uint8_t *)r->page + (EXO_PACKETS_RX - EXO_PACKETS_PAGE) * EXO_PAGE_SIZE);
	r->tx = (void *)((uint8_t *)r->page + (EXO_PACKETS_TX - EXO_PACKETS_PAGE) * EXO_PAGE_SIZE);
	r->data = (uint8_t *)r->page + (EXO_PACKETS_DATA - EXO_PACKETS_PAGE) * EXO_PAGE_SIZE;
	return 0;
}

int ring_make(struct ring *r)
{
	int err = guest_frames_make(&r->frames, EXO_FRAMES_PACKETS + RING_DATA);

	if (err < 0)
		return err;
	r->seen = 0;
	r->data_frames = RING_DATA;
	r->ring = guest_retype(r->frames.slot, r->frames.lo, EXO_KIND_PACKETS, RING_DATA);
	err = ring_map(r);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < RING_BUFFERS; i++)
		post(r, i * EXO_PACKET_BYTES);
	r->entry = exos_event_alloc();
	return 0;
}

int ring_open(struct ring *r, exo_slot nic)
{
	int err = ring_make(r);

	return err < 0 ? err : (int)exo_nic_bind(r->ring, nic, r->entry);
}

void ring_close(struct ring *r)
{
	exos_space_window_end(r->page, 4 + RING_DATA);
	guest_frames_end(&r->frames);
	exos_slot_sweep();
	exos_event_free(r->entry);
}

const uint8_t *ring_receive(struct ring *r, const struct exo_rx **entry, uint64_t ms)
{
	uint64_t deadline = exos_deadline(ms * 1000000);

	while (__atomic_load_n(&r->page->rx_done, __ATOMIC_ACQUIRE) == r->seen)
		if (!exos_event_wait(r->entry, deadline))
			return NULL;
	*entry = &r->rx[r->seen++ % EXO_PACKETS];
	return r->data + (*entry)->offset;
}

void ring_repost(struct ring *r)
{
	post(r, r->rx[(r->seen - 1) % EXO_PACKETS].offset);
}

struct exo_tx *ring_part(struct ring *r, exo_slot slot, uint64_t at, uint32_t bytes, uint16_t flags)
{
	struct exo_tx *t = &r->tx[r->page->tx_tail % EXO_PACKETS];

	*t = (struct exo_tx){ .slot = slot, .at = at, .bytes = bytes, .flags = flags };
	__atomic_store_n(&r->page->tx_tail, r->page->tx_tail + 1, __ATOMIC_RELEASE);
	return t;
}

struct exo_tx *ring_packet(struct ring *r, const uint8_t *bytes, uint32_t count)
{
	uint32_t at = RING_DATA * EXO_PAGE_SIZE / 2 + r->page->tx_tail % SEND_PLACES * 2048;

	memcpy(r->data + at, bytes, count);
	return ring_part(r, 0, at, count, 0);
}

int64_t ring_kick(struct ring *r)
{
	return exo_nic_kick(r->ring);
}

bool ring_done(struct ring *r, uint64_t ms)
{
	uint64_t deadline = exos_deadline(ms * 1000000);

	r->page->tx_wake = 1;
	if (ring_kick(r) < 0)
		return false;
	while (__atomic_load_n(&r->page->tx_done, __ATOMIC_ACQUIRE) != r->page->tx_tail)
		if (!exos_event_wait(r->entry, deadline))
			break;
	r->page->tx_wake = 0;
	return r->page->tx_done == r->page->tx_tail;
}

const struct exo_nic_info *nic_info(void)
{
	const struct exo_nic_info *info = exos_machine_at(exos_machine()->nics_off);

	return &info[exos_grant("nic", 0)->unit];
}

static void name_byte(struct exo_pattern *p, unsigned at, uint8_t value)
{
	((uint8_t *)p->mask)[at] = 0xff;
	((uint8_t *)p->value)[at] = value;
}

/* Type ARP; the target's last byte received, the sender's sent, and our station address. */
exo_slot nic_arp_claim(exo_slot nic, uint8_t host)
{
	static struct exo_nic_spec spec;
	struct guest_frames f;
	exo_slot filter;
	int64_t name;

	memset(&spec, 0, sizeof(spec));
	name_byte(&spec.receive, 12, 0x08);
	name_byte(&spec.receive, 13, 0x06);
	name_byte(&spec.receive, 41, host);
	name_byte(&spec.send, 12, 0x08);
	name_byte(&spec.send, 13, 0x06);
	name_byte(&spec.send, 31, host);
	for (unsigned i = 0; i < 6; i++)
		name_byte(&spec.send, 6 + i, nic_info()->mac[i]);
	if (guest_frames_make(&f, EXO_FRAMES_FILTER) < 0)
		return 0;
	filter = guest_retype(f.slot, f.lo, EXO_KIND_FILTER, 0);
	name = exo_nic_narrow(nic, guest_sid(), filter, (uintptr_t)&spec, GUEST_RW);
	if (name < 0)
		guest_fail("nic_narrow for host %u: %ld", host, (long)name);
	return name < 0 ? 0 : (exo_slot)name;
}

/* RFC 826, over Ethernet and IPv4. */
void arp_request(uint8_t packet[ARP_BYTES], uint8_t host)
{
	static const uint8_t head[] = { 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1 };
	const uint8_t own[] = { 10, 0, 2, host }, gateway[] = { 10, 0, 2, 2 };

	memset(packet, 0, ARP_BYTES);
	memset(packet, 0xff, 6);
	memcpy(packet + 6, nic_info()->mac, 6);
	memcpy(packet + 12, head, sizeof(head));
	memcpy(packet + 22, nic_info()->mac, 6);
	memcpy(packet + 28, own, 4);
	memcpy(packet + 38, gateway, 4);
}

bool arp_is_answer(const uint8_t *p, uint32_t bytes, uint8_t host)
{
	static const uint8_t head[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2},
			     gateway[] = {10, 0, 2, 2};

	return bytes >= 42 && !memcmp(p, nic_info()->mac, 6) &&
	       !memcmp(p + 12, head, sizeof(head)) && !memcmp(p + 28, gateway, 4) && p[41] == host;
}

bool arp_works(struct ring *r, uint8_t host)
{
	const struct exo_rx *e;
	uint8_t packet[ARP_BYTES];
	const uint8_t *p;
	bool right;

	arp_request(packet, host);
	ring_packet(r, packet, ARP_BYTES);
	if (!ring_done(r, 3000))
		return false;
	p = ring_receive(r, &e, 3000);
	if (!p)
		return false;
	right = arp_is_answer(p, e->bytes, host) && e->bytes == e->length &&
		!(e->flags & EXO_RX_COPY);
	ring_repost(r);
	return right;
}
