/* SPDX-License-Identifier: MIT */
/*
 * capture.h - a share of the machine's packets, the lines about them, and what is kept.
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include <net/config.h>
#include <net/packets.h>
#include <net/stack.h>
#include <stdbool.h>
#include <stdint.h>

#include "store.h"

#define CAPTURE_PORT 81u        /* where the capture is fetched: its own packets are left out */
#define CAPTURE_SNAP EXO_PACKET_BYTES

struct capture {
	struct net_ring ring;
	struct net_claim claim;
	struct store store;
	exo_slot gate;
	uint32_t snap;          /* bytes kept of a packet */
	uint64_t wanted;        /* packets, then it ends; 0: no end */
	uint64_t seen;          /* packets so far */
	uint64_t begun_ns;
	bool     quiet;         /* no lines */
	bool     inside;        /* capture_drain is at work */
};

/*
 * Ask netcfg for a share of the packets of `flow` and begin: from then on an event handler takes
 * them whenever the program waits.  0, -EXO_E_* or -NET_E_*.
 */
int capture_start(struct capture *c, const struct net_flow *flow);

/* Take the packets that are there now. */
void capture_drain(struct capture *c);

/* Are there as many as were wanted? */
bool capture_full(const struct capture *c);

/* End it; the store stays. */
void capture_stop(struct capture *c);

/* serve.c: hand out the store by HTTP, for whoever asks now; does not wait for anybody to ask. */
struct net_socket;
void serve_once(struct capture *c, struct net_socket *listener);

/* own.c: is it a packet of the download, TCP with CAPTURE_PORT at this machine's end? */
bool own_packet(const void *packet, uint32_t bytes, bool sent);

#endif
