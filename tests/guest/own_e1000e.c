/* SPDX-License-Identifier: MIT */
/*
 * own_e1000e.c - an 82574 driven by the test itself on QEMU's user-mode network: who has 10.0.2.2,
 * what address DHCP offers, and what the kernel has to do with it.
 *
 * The packets are written out here: no network stack is in the way.
 */
#include <base/string.h>
#include <exos/console.h>
#include <exos/event.h>
#include <exos/time.h>
#include <net/e1000e.h>

#include "own_device.h"

#define CARD      0x808610d3u
#define ANSWER_NS 3000000000ul
#define ROUNDS    50u
#define DHCP_ID   0x65786f31u

enum {
	ETHER_BYTES = 14, ARP_BYTES = 28, ARP_REQUEST = 1, ARP_REPLY = 2,
	IP_BYTES = 20, UDP_BYTES = 8, DHCP_BYTES = 244, DHCP_OFFER = 2,
	DHCP_AT = ETHER_BYTES + IP_BYTES + UDP_BYTES,
};

static const uint8_t gateway[4] = { 10, 0, 2, 2 }, guest_ip[4] = { 10, 0, 2, 15 };

static void put16(uint8_t *p, uint32_t v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }
static uint32_t get16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }

static void ether_put(uint8_t *p, const struct net_e1000e *card, uint32_t type)
{
	memset(p, 0xff, 6);
	memcpy(p + 6, card->mac, 6);
	put16(p + 12, type);
}

/* RFC 826: who has the gateway's address? */
static void arp_ask(struct net_e1000e *card)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0, ARP_REQUEST };
	uint8_t *p = net_e1000e_slot(card);

	must(p != NULL);
	ether_put(p, card, 0x0806);
	p += ETHER_BYTES;
	memcpy(p, head, 8);
	memcpy(p + 8, card->mac, 6);
	memcpy(p + 14, guest_ip, 4);
	memset(p + 18, 0, 6);
	memcpy(p + 24, gateway, 4);
	expect(net_e1000e_put(card, ETHER_BYTES + ARP_BYTES));
	net_e1000e_flush(card);
}

static bool is_arp_answer(const uint8_t *p, uint32_t bytes, const struct net_e1000e *card)
{
	return bytes >= ETHER_BYTES + ARP_BYTES && get16(p + 12) == 0x0806 &&
	       get16(p + 20) == ARP_REPLY && !memcmp(p + 28, gateway, 4) &&
	       !memcmp(p, card->mac, 6) && !memcmp(p + 32, card->mac, 6);
}

/* RFC 2131, with the broadcast flag; without a UDP checksum, which IPv4 allows. */
static void dhcp_ask(struct net_e1000e *card)
{
	static const uint8_t options[] = { 99, 130, 83, 99, 53, 1, 1, 255 };
	uint8_t *p = net_e1000e_slot(card), *ip = p + ETHER_BYTES, *dhcp = p + DHCP_AT;
	uint32_t sum = 0;

	must(p != NULL);
	ether_put(p, card, 0x0800);
	memset(ip, 0, IP_BYTES + UDP_BYTES + DHCP_BYTES);
	ip[0] = 0x45;
	put16(ip + 2, IP_BYTES + UDP_BYTES + DHCP_BYTES);
	ip[8] = 64;
	ip[9] = 17;
	memset(ip + 16, 0xff, 4);
	for (unsigned i = 0; i < IP_BYTES; i += 2)
		sum += get16(ip + i);
	put16(ip + 10, ~(sum + (sum >> 16)));
	put16(ip + IP_BYTES, 68);
	put16(ip + IP_BYTES + 2, 67);
	put16(ip + IP_BYTES + 4, UDP_BYTES + DHCP_BYTES);
	dhcp[0] = dhcp[1] = 1;
	dhcp[2] = 6;
	put16(dhcp + 4, DHCP_ID >> 16);
	put16(dhcp + 6, DHCP_ID & 0xffff);
	dhcp[10] = 0x80;
	memcpy(dhcp + 28, card->mac, 6);
	memcpy(dhcp + 236, options, sizeof options);
	expect(net_e1000e_put(card, DHCP_AT + DHCP_BYTES));
	net_e1000e_flush(card);
}

static bool is_dhcp_offer(const uint8_t *p, uint32_t bytes, const struct net_e1000e *card)
{
	const uint8_t *dhcp = p + DHCP_AT;

	return bytes >= DHCP_AT + DHCP_BYTES && get16(p + 12) == 0x0800 && p[23] == 17 &&
	       get16(p + ETHER_BYTES + IP_BYTES) == 67 && dhcp[0] == 2 &&
	       get16(dhcp + 4) == DHCP_ID >> 16 && get16(dhcp + 6) == (DHCP_ID & 0xffff) &&
	       !memcmp(dhcp + 28, card->mac, 6) && !memcmp(p + 26, gateway, 4) &&
	       dhcp[240] == 53 && dhcp[242] == DHCP_OFFER && !memcmp(dhcp + 16, guest_ip, 4);
}

typedef bool packet_is(const uint8_t *p, uint32_t bytes, const struct net_e1000e *card);

/* Wait for a packet of this kind; others are given back. */
static bool await_packet_until(struct net_e1000e *card, packet_is *is, uint64_t deadline)
{
	bool found = false;
	const uint8_t *p;
	uint32_t bytes;

	while (!found && net_e1000e_wait(card, deadline)) {
		p = net_e1000e_take(card, &bytes);
		found = p && is(p, bytes, card);
		net_e1000e_give(card);
	}
	return found;
}

static bool await_packet(struct net_e1000e *card, packet_is *is)
{
	return await_packet_until(card, is, exos_deadline(ANSWER_NS));
}

/* The cable of QEMU's card is in half a second after its reset. */
static bool link_await(const struct net_e1000e *card)
{
	uint64_t deadline = exos_deadline(5000000000ul);

	while (!net_e1000e_link(card) && exos_tsc() < deadline)
		exos_sleep(1000000);
	return net_e1000e_link(card);
}

static bool card_start(struct net_e1000e *card, bool interrupts)
{
	exo_slot claim = own_device_find(0, CARD, "needs an 82574 of its own");
	int err = net_e1000e_open(card, claim, interrupts ? exos_event_alloc() : 0);

	if (err < 0) {
		guest_fail("the card cannot be driven: %d, %s", err, card->why ? card->why : "-");
		return false;
	}
	return expect(link_await(card));
}

static void card_talks(struct net_e1000e *card)
{
	arp_ask(card);
	expect(await_packet(card, is_arp_answer));
	dhcp_ask(card);
	expect(await_packet(card, is_dhcp_offer));
	/* Three times around both rings. */
	for (unsigned i = 0; i < 3 * NET_E1000E_RING && !guest_failures(); i++) {
		arp_ask(card);
		expect(await_packet(card, is_arp_answer));
	}
	expect_eq(card->bad, 0);
	expect(!net_e1000e_put(card, 0));
	expect(!net_e1000e_put(card, NET_E1000E_PACKET + 1));
}

/* Times the kernel was entered for so many answers. */
static uint64_t entries_of_answers(struct net_e1000e *card)
{
	uint64_t entries = own_device_entries();

	for (unsigned i = 0; i < ROUNDS && !guest_failures(); i++) {
		arp_ask(card);
		expect(await_packet(card, is_arp_answer));
	}
	return own_device_entries() - entries;
}

EXO_TEST(own_e1000e_by_polling_never_enters_the_kernel, PCI)
{
	static struct net_e1000e card;
	uint64_t entries;

	if (!card_start(&card, false))
		return;
	card_talks(&card);
	entries = entries_of_answers(&card);
	printf("own e1000e, polled: %lu kernel entries for %u ARP requests and answers\n", entries,
	       ROUNDS);
	expect_eq(entries, 0);
	expect_eq(card.waits, 0);
	net_e1000e_close(&card);
}

/*
 * QEMU answers before the request's register write is over, so that the driver finds the packet
 * without waiting; here we look only after the interrupt.
 */
static void card_interrupts(struct net_e1000e *card)
{
	uint32_t bytes;

	for (unsigned i = 0; i < 10 && !guest_failures(); i++) {
		net_e1000e_arm(card);           /* also for what came long ago */
		exos_event_wait(card->event, exos_deadline(5000000));
		expect_eq(exos_pci_ack(&card->pci, 0), 0);
		net_e1000e_arm(card);
		expect_eq(exos_event_pending(card->event), 0);
		arp_ask(card);
		expect(exos_event_wait(card->event, exos_deadline(ANSWER_NS)) > 0);
		expect(net_e1000e_take(card, &bytes) != NULL);
		net_e1000e_give(card);
		expect_eq(exos_pci_ack(&card->pci, 0), 0);
	}
}

EXO_TEST(own_e1000e_by_interrupt, PCI)
{
	static struct net_e1000e card;
	uint64_t deadline, start;
	uint32_t event;

	if (!card_start(&card, true))
		return;
	event = card.event;
	card_talks(&card);
	card_interrupts(&card);
	printf("own e1000e, by interrupt: %lu waits and acknowledgements for %u answers\n",
	       card.waits, 3 * NET_E1000E_RING + 2);
	/* Nothing comes: the wait ends by itself. */
	start = exos_ns();
	deadline = exos_deadline(50000000);
	expect(!await_packet_until(&card, is_arp_answer, deadline));
	expect(exos_ns() - start >= 49000000);
	net_e1000e_close(&card);
	exos_event_free(event);
}
