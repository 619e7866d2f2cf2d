/* SPDX-License-Identifier: MIT */
/*
 * nic_send.h - one packet of a ring to the device, or refused; the NIC's lock held.
 */
#ifndef EXO_DEV_NIC_SEND_H
#define EXO_DEV_NIC_SEND_H

#include "dev/nic.h"

enum packet_end {
	PACKET_NONE,            /* no whole packet waits, and nothing is pinned for a part of one */
	PACKET_WAITS,           /* the device has no room now */
	PACKET_SENT,            /* the device has it */
	PACKET_REFUSED,         /* its parts are done */
};

/* What sending a packet cost. */
struct packet_cost {
	uint32_t bytes;         /* its length */
	uint32_t copies;        /* for shares that see what is sent */
	uint64_t since;         /* in and out: tsc, what was done before it is charged */
};

/* Send the ring's next packet if the device has room.  But for `since`, *cost is 0 before. */
enum packet_end packet_send(struct nic *n, unsigned queue, struct packets *r,
                            struct packet_cost *cost);

/* What waits is refused, -EXO_E_STALE, a piece of it: true if there is more. */
bool packets_refuse_rest(struct nic *n, struct packets *r);

#endif
