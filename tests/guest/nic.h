/* SPDX-License-Identifier: MIT */
/*
 * nic.h - packet rings of one's own on the first NIC, and ARP requests that somebody answers.
 *
 * The machines of the suites have a user-mode network: 10.0.2.2 answers.
 */
#ifndef GUEST_NIC_H
#define GUEST_NIC_H

#include <exo/nic.h>
#include <exos/call.h>

#include "guest.h"

struct ring {
	struct guest_frames frames;
	exo_slot ring;
	uint32_t entry;                 /* event */
	uint32_t data_frames;
	struct exo_packets_page *page;
	struct exo_rx *rx;
	struct exo_tx *tx;
	uint8_t *data;                  /* its first half is used to receive, the second to send */
	uint32_t seen;                  /* received packets looked at */
};

#define RING_DATA 16u                   /* frames of the data area, usually */
#define RING_BUFFERS 16u                /* that ring_open posts: 2 KiB each, half the area */

/* Make rings, not bound; buffers are posted. 0 or -EXO_E_*. */
int ring_make(struct ring *ring);
/* And bind them. */
int ring_open(struct ring *ring, exo_slot nic);
void ring_close(struct ring *ring);

/* The next received packet, waiting at most ms milliseconds; its bytes.  NULL: none came. */
const uint8_t *ring_receive(struct ring *ring, const struct exo_rx **entry, uint64_t ms);
/* Give the buffer of the packet looked at last back to the kernel. */
void ring_repost(struct ring *ring);

/* Write a part behind the last one, no kick; then its fields may be changed. */
struct exo_tx *ring_part(struct ring *ring, exo_slot slot, uint64_t at, uint32_t bytes,
                         uint16_t flags);
/* The same for a whole packet, copied into the data area. */
struct exo_tx *ring_packet(struct ring *ring, const uint8_t *bytes, uint32_t count);
/* Kick; how many parts were taken, or -EXO_E_*. */
int64_t ring_kick(struct ring *ring);
/* Kick, and wait until all parts are done, at most ms milliseconds. */
bool ring_done(struct ring *ring, uint64_t ms);

/* What the kernel says of the NIC. */
const struct exo_nic_info *nic_info(void);

/* A claim on the ARP packets to one address 10.0.2.`host`, and from it; 0: failed, noted. */
exo_slot nic_arp_claim(exo_slot nic, uint8_t host);

/* A request from 10.0.2.`host`: who has 10.0.2.2? */
#define ARP_BYTES 60u
void arp_request(uint8_t packet[ARP_BYTES], uint8_t host);
/* Is this the answer to it? */
bool arp_is_answer(const uint8_t *packet, uint32_t bytes, uint8_t host);

/* Ask and get the answer: the rightful act that goes beside each refused one. */
bool arp_works(struct ring *ring, uint8_t host);

#endif
