/* SPDX-License-Identifier: MIT */
/*
 * e1000e.h - an Intel 82574 network controller that belongs to this program: rings without the
 * kernel.
 *
 * The program holds the PCI claim: registers, descriptor rings and interrupt are its own, and it
 * receives and sends whatever it likes; the kernel is entered only to wait, and never when the card
 * is polled.  What the card writes is hostile: lengths are checked, indices are ours.  Packets are
 * received and sent where they lie, in buffers of the ring.  One thread at a time.
 */
#ifndef NET_E1000E_H
#define NET_E1000E_H

#include <exo/types.h>
#include <exos/pci.h>
#include <stdbool.h>
#include <stdint.h>

#define NET_E1000E_RING   128u          /* descriptors each way */
#define NET_E1000E_BUFFER 2048u         /* bytes of one */
/* Pages shared with the card: descriptors, buffers to receive, buffers to send. */
#define NET_E1000E_PAGES  (1 + 2 * NET_E1000E_RING * NET_E1000E_BUFFER / EXO_PAGE_SIZE)
#define NET_E1000E_PACKET 1514u         /* longest to send, without its checksum */

struct net_e1000e {
	volatile uint8_t *registers;
	uint8_t *memory;        /* NET_E1000E_PAGES consecutive pages */
	uint64_t dma;           /* their address for the card */
	uint64_t (*clock_ns)(void);
	uint32_t rx_next;       /* the next to be filled; free-running */
	uint32_t rx_given;      /* buffers ever given to the card */
	uint32_t rx_back;       /* packets ever given back */
	uint32_t tx_put;        /* packets ever put */
	uint32_t tx_shown;      /* of these, shown to the card */
	uint32_t tx_done;       /* of these, sent */
	uint64_t bad;           /* received, with an error or a length that cannot be */
	uint64_t waits;         /* times the kernel was entered to wait */
	uint8_t  mac[6];
	struct exos_pci pci;
	uint64_t pfn;           /* of the memory, 0: none */
	uint32_t event;         /* entry of its interrupt; 0: it is polled */
	const char *why;        /* after a failed open: what is wrong, in words */
};

/* --- the card, by its registers (net_e1000e_open does it all) --- */

/*
 * Reset the card and set up its rings: registers, memory, dma, clock_ns and event are filled in,
 * the rest is zero.  Why it cannot be used, or NULL: then it receives.
 */
const char *net_e1000e_start(struct net_e1000e *card);
/* No more packets and no access to memory, as far as the card obeys. */
void net_e1000e_stop(struct net_e1000e *card);
/* Is the cable in? */
bool net_e1000e_link(const struct net_e1000e *card);

/* --- receiving: packets come in order and are given back in order --- */

/* The next packet: its bytes, and how many; NULL: none.  It stays until it is given back. */
const uint8_t *net_e1000e_take(struct net_e1000e *card, uint32_t *bytes);
/* Give the oldest taken packet's buffer back to the card. */
void net_e1000e_give(struct net_e1000e *card);

/* Have the next packet raise the interrupt, or one that came since the last: no kernel call. */
void net_e1000e_arm(struct net_e1000e *card);

/* --- sending --- */

/* Where to write the next packet, NET_E1000E_PACKET bytes at most; NULL: no room now. */
uint8_t *net_e1000e_slot(struct net_e1000e *card);
/* It is written: `bytes` of it, 1 to NET_E1000E_PACKET.  false: no room, or another length. */
bool net_e1000e_put(struct net_e1000e *card, uint32_t bytes);
/* Show the card what was put. */
void net_e1000e_flush(struct net_e1000e *card);

/* --- the program's card --- */

/*
 * Drive the card of the PCI claim (EXO_R_MAP and EXO_R_CONTROL).  event: entry of exos_event_alloc
 * for its interrupts, or 0: it is polled.  0; -EXO_E_*; -EXO_E_DEVICE with `why` set.
 */
int net_e1000e_open(struct net_e1000e *card, exo_slot claim, uint32_t event);
/* Reset it and give everything back. */
void net_e1000e_close(struct net_e1000e *card);
/* Wait for a packet until the deadline (TSC): by event, or by looking. true: there is one. */
bool net_e1000e_wait(struct net_e1000e *card, uint64_t deadline_tsc);

#endif
