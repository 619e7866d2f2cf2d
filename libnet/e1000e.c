/* SPDX-License-Identifier: MIT */
/*
 * e1000e.c - an Intel 82574: reset, rings, packets.
 *
 * Invariant: buffer n of each ring belongs to descriptor n for good; the card has the receive
 * descriptors [rx_next, rx_given), the program the packets [rx_back, rx_next); addresses are
 * written by us alone, and written anew each time, since the card writes over descriptors.  One
 * descriptor is always kept back: head = tail means empty.  Section numbers: Intel 82574 datasheet
 * 3.4.  Taking the card into use by its claim: e1000e_open.c.
 */
#include <base/string.h>
#include <base/util.h>
#include <net/e1000e.h>

enum {                          /* 10.2: registers */
	CTRL = 0x0000, STATUS = 0x0008, CTRL_EXT = 0x0018, ICR = 0x00c0, IMS = 0x00d0, IMC = 0x00d8,
	EIAC = 0x00dc, IVAR = 0x00e4, RCTL = 0x0100, TCTL = 0x0400, TIPG = 0x0410,
	RX_RING = 0x2800, TX_RING = 0x3800,
	RING_LOW = 0x00, RING_HIGH = 0x04, RING_BYTES = 0x08, RING_HEAD = 0x10, RING_TAIL = 0x18,
	RFCTL = 0x5008, MULTICAST = 0x5200, MULTICAST_WORDS = 128, RAL0 = 0x5400, RAH0 = 0x5404,
};

#define CTRL_MASTER_OFF  (1u << 2)
#define CTRL_LINK_UP     (1u << 6)
#define CTRL_RESET       (1u << 26)
#define STATUS_LINK      (1u << 1)
#define STATUS_MASTER    (1u << 19)
#define EXT_PBA_CLEAR    (1u << 31)
#define RCTL_ENABLE      (1u << 1)
#define RCTL_BROADCAST   (1u << 15)
#define RCTL_STRIP_CRC   (1u << 26)
#define TCTL_ENABLE      (1u << 1)
#define TCTL_PAD         (1u << 3)
#define TCTL_COLLISIONS  (0xfu << 4 | 0x3fu << 12)
#define TIPG_DEFAULT     (8u | 8u << 10 | 6u << 20)     /* 10.2.6.2 */
#define RAH_VALID        (1u << 31)
#define CAUSE_RX         (1u << 20)                     /* queue 0, with MSI-X */
#define IVAR_RX_VECTOR0  (1u << 3)                      /* receive queue 0: vector 0, valid */

#define RX_DONE   0x01u         /* 3.2.4: status of a legacy receive descriptor */
#define RX_END    0x02u
#define TX_END    0x01u         /* 3.3.3: command */
#define TX_CRC    0x02u
#define TX_REPORT 0x08u
#define TX_DONE   0x01u         /* status */

struct rx_desc {                /* 3.2.4 */
	uint64_t address;
	uint16_t bytes, checksum;
	uint8_t  status, errors;
	uint16_t vlan;
};
struct tx_desc {                /* 3.3.3 */
	uint64_t address;
	uint16_t bytes;
	uint8_t  checksum_at, command, status, checksum_from;
	uint16_t vlan;
};
_Static_assert(sizeof(struct rx_desc) == 16 && sizeof(struct tx_desc) == 16, "82574 3.2.4, 3.3.3");

#define TX_DESC_AT (NET_E1000E_RING * sizeof(struct rx_desc))
#define RX_DATA_AT EXO_PAGE_SIZE
#define TX_DATA_AT (RX_DATA_AT + (uint64_t)NET_E1000E_RING * NET_E1000E_BUFFER)
#define WAIT_NS    100000000ul
#define PACKET_MIN 14u          /* addresses and type */

_Static_assert(TX_DESC_AT + NET_E1000E_RING * sizeof(struct tx_desc) <= EXO_PAGE_SIZE, "one page");
_Static_assert(TX_DATA_AT + NET_E1000E_RING * NET_E1000E_BUFFER ==
	       NET_E1000E_PAGES * EXO_PAGE_SIZE, "buffers fill the pages");

static uint32_t reg_read(const struct net_e1000e *c, unsigned off)
{
	return *(volatile uint32_t *)(c->registers + off);
}

static void reg_write(const struct net_e1000e *c, unsigned off, uint32_t value)
{
	*(volatile uint32_t *)(c->registers + off) = value;
}

static volatile struct rx_desc *rx_desc(const struct net_e1000e *c, uint32_t n)
{
	return (volatile struct rx_desc *)c->memory + n % NET_E1000E_RING;
}

static volatile struct tx_desc *tx_desc(const struct net_e1000e *c, uint32_t n)
{
	return (volatile struct tx_desc *)(c->memory + TX_DESC_AT) + n % NET_E1000E_RING;
}

static uint64_t buffer_at(uint64_t area, uint32_t n)
{
	return area + (uint64_t)(n % NET_E1000E_RING) * NET_E1000E_BUFFER;
}

/* Wait until none of these bits of a register is set. */
static bool clear_wait(const struct net_e1000e *c, unsigned off, uint32_t bits)
{
	uint64_t start = c->clock_ns();

	do {
		if (!(reg_read(c, off) & bits))
			return true;
	} while (c->clock_ns() - start < WAIT_NS);
	return false;
}

/* 4.6.1: no new accesses of memory, then all registers as after power-on. */
static bool card_reset(struct net_e1000e *c)
{
	reg_write(c, IMC, ~0u);
	reg_write(c, RCTL, 0);
	reg_write(c, TCTL, 0);
	reg_write(c, CTRL, reg_read(c, CTRL) | CTRL_MASTER_OFF);
	clear_wait(c, STATUS, STATUS_MASTER);
	reg_write(c, CTRL, reg_read(c, CTRL) | CTRL_RESET);
	if (!clear_wait(c, CTRL, CTRL_RESET))
		return false;
	reg_write(c, IMC, ~0u);
	reg_read(c, ICR);
	return true;
}

void net_e1000e_stop(struct net_e1000e *card)
{
	card_reset(card);
}

/* The address that the card took from its memory. */
static bool mac_read(struct net_e1000e *c)
{
	uint32_t low = reg_read(c, RAL0), high = reg_read(c, RAH0);

	memcpy(c->mac, &low, 4);
	memcpy(c->mac + 4, &high, 2);
	return high & RAH_VALID && !(c->mac[0] & 1) && (low || high & 0xffff);
}

static void ring_set(const struct net_e1000e *c, unsigned ring, uint64_t address)
{
	reg_write(c, ring + RING_LOW, (uint32_t)address);
	reg_write(c, ring + RING_HIGH, (uint32_t)(address >> 32));
	reg_write(c, ring + RING_BYTES, NET_E1000E_RING * sizeof(struct rx_desc));
	reg_write(c, ring + RING_HEAD, 0);
	reg_write(c, ring + RING_TAIL, 0);
}

/* Descriptor n, empty, to the card; it sees it when the tail moves. */
static void rx_give(struct net_e1000e *c)
{
	volatile struct rx_desc *d = rx_desc(c, c->rx_given);

	d->status = 0;
	d->bytes = 0;
	d->address = c->dma + buffer_at(RX_DATA_AT, c->rx_given);
	c->rx_given++;
}

static void rx_show(struct net_e1000e *c)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	reg_write(c, RX_RING + RING_TAIL, c->rx_given % NET_E1000E_RING);
}

/* 4.6.5, 4.6.6 */
static void rings_start(struct net_e1000e *c)
{
	memset(c->memory, 0, EXO_PAGE_SIZE);
	for (unsigned i = 0; i < MULTICAST_WORDS; i++)
		reg_write(c, MULTICAST + 4 * i, 0);
	reg_write(c, RFCTL, 0);
	ring_set(c, RX_RING, c->dma);
	ring_set(c, TX_RING, c->dma + TX_DESC_AT);
	reg_write(c, TIPG, TIPG_DEFAULT);
	reg_write(c, TCTL, TCTL_ENABLE | TCTL_PAD | TCTL_COLLISIONS);
	reg_write(c, RCTL, RCTL_ENABLE | RCTL_BROADCAST | RCTL_STRIP_CRC);
	while (c->rx_given < NET_E1000E_RING - 1)
		rx_give(c);
	rx_show(c);
}

/* 7.1.2: received packets by vector 0, whose cause clears itself. */
static void interrupts_start(struct net_e1000e *c)
{
	reg_write(c, CTRL_EXT, reg_read(c, CTRL_EXT) | EXT_PBA_CLEAR);
	reg_write(c, IVAR, IVAR_RX_VECTOR0);
	reg_write(c, EIAC, CAUSE_RX);
}

/* The message clears its cause and, in QEMU's card, its mask: each is asked for. */
void net_e1000e_arm(struct net_e1000e *card)
{
	reg_write(card, IMS, CAUSE_RX);
}

const char *net_e1000e_start(struct net_e1000e *card)
{
	if (reg_read(card, STATUS) == ~0u)
		return "it does not answer";
	if (!card_reset(card))
		return "it does not come back from its reset";
	if (!mac_read(card))
		return "it has no address";
	reg_write(card, CTRL, (reg_read(card, CTRL) & ~CTRL_MASTER_OFF) | CTRL_LINK_UP);
	rings_start(card);
	if (card->event)
		interrupts_start(card);
	return NULL;
}

bool net_e1000e_link(const struct net_e1000e *card)
{
	uint32_t status = reg_read(card, STATUS);

	return status != ~0u && status & STATUS_LINK;
}

/* Buffers go back to the card in the order of their packets, also those of bad ones. */
const uint8_t *net_e1000e_take(struct net_e1000e *card, uint32_t *bytes)
{
	while (card->rx_next != card->rx_given) {
		volatile struct rx_desc *d = rx_desc(card, card->rx_next);
		uint8_t status = d->status;
		uint32_t length;

		if (!(status & RX_DONE))
			return NULL;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		length = d->bytes;
		if (status & RX_END && !d->errors && length >= PACKET_MIN &&
		    length <= NET_E1000E_BUFFER) {
			*bytes = length;
			return card->memory + buffer_at(RX_DATA_AT, card->rx_next++);
		}
		/* Behind packets that the program holds it must wait: then it looks again later. */
		if (card->rx_back != card->rx_next)
			return NULL;
		card->bad++;
		card->rx_next++;
		net_e1000e_give(card);
	}
	return NULL;
}

void net_e1000e_give(struct net_e1000e *card)
{
	if (card->rx_back == card->rx_next)
		return;
	card->rx_back++;
	rx_give(card);
	rx_show(card);
}

/* Packets that were sent: in order, each with its own report. */
static void tx_collect(struct net_e1000e *c)
{
	while (c->tx_done != c->tx_shown && tx_desc(c, c->tx_done)->status & TX_DONE)
		c->tx_done++;
}

uint8_t *net_e1000e_slot(struct net_e1000e *card)
{
	tx_collect(card);
	if (card->tx_put - card->tx_done >= NET_E1000E_RING - 1)
		return NULL;
	return card->memory + buffer_at(TX_DATA_AT, card->tx_put);
}

bool net_e1000e_put(struct net_e1000e *card, uint32_t bytes)
{
	volatile struct tx_desc *d = tx_desc(card, card->tx_put);

	if (!bytes || bytes > NET_E1000E_PACKET || !net_e1000e_slot(card))
		return false;
	d->address = card->dma + buffer_at(TX_DATA_AT, card->tx_put);
	d->bytes = (uint16_t)bytes;
	d->checksum_at = d->checksum_from = 0;
	d->vlan = 0;
	d->status = 0;
	d->command = TX_END | TX_CRC | TX_REPORT;
	card->tx_put++;
	return true;
}

void net_e1000e_flush(struct net_e1000e *card)
{
	if (card->tx_shown == card->tx_put)
		return;
	card->tx_shown = card->tx_put;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	reg_write(card, TX_RING + RING_TAIL, card->tx_put % NET_E1000E_RING);
}
