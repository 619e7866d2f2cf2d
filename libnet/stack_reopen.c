/* SPDX-License-Identifier: MIT */
/*
 * stack_reopen.c - a new connection between the ports of one that only waits out its time.
 *
 * lwIP answers such a SYN as an old one; the client then waits for a second and more.  RFC 9293
 * section 3.10.7.4 and RFC 6191 let the new connection in if its sequence number is beyond all
 * that the old one received: the old pcb goes before lwIP sees the packet.
 */
#include "stack_parts.h"

#include <base/string.h>
#include <lwip/priv/tcp_priv.h>
#include <net/lwip.h>

#include "pattern.h"

#define FLAGS  13u              /* byte of a TCP header */
#define HEADER 20u              /* bytes of it, at least */

/* One packet's TCP header, and both addresses. */
struct segment {
	const uint8_t *tcp;
	struct net_addr from, to;
};

static bool segment_find(struct segment *s, const uint8_t *bytes, size_t length)
{
	bool v4 = bytes[PATTERN_TYPE] == 0x08;
	uint32_t at = v4 ? PATTERN_IP4_PORTS : PATTERN_IP6_PORTS;

	if (length < at + HEADER || (v4 && bytes[PATTERN_IP] != 0x45) ||
	    bytes[v4 ? PATTERN_IP4_PROTOCOL : PATTERN_IP6_NEXT] != NET_TCP)
		return false;
	s->tcp = bytes + at;
	s->from = s->to = (struct net_addr){ .family = v4 ? 4 : 6 };
	memcpy(s->from.byte, bytes + (v4 ? PATTERN_IP4_SOURCE : PATTERN_IP6_SOURCE),
	       net_addr_bytes(s->from.family));
	memcpy(s->to.byte, bytes + (v4 ? PATTERN_IP4_DEST : PATTERN_IP6_DEST),
	       net_addr_bytes(s->to.family));
	return true;
}

static uint16_t read16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The pcb in TIME_WAIT between these ports, or NULL. */
static struct tcp_pcb *waiting_find(const struct segment *s)
{
	uint16_t remote = read16(s->tcp), local = read16(s->tcp + 2);
	ip_addr_t from, to;

	net_addr_to_lwip(&s->from, &from);
	net_addr_to_lwip(&s->to, &to);
	for (struct tcp_pcb *pcb = tcp_tw_pcbs; pcb; pcb = pcb->next) {
		if (pcb->remote_port == remote && pcb->local_port == local &&
		    ip_addr_cmp(&pcb->remote_ip, &from) && ip_addr_cmp(&pcb->local_ip, &to))
			return pcb;
	}
	return NULL;
}

void stack_reopen(const uint8_t *bytes, size_t length)
{
	struct segment s;
	struct tcp_pcb *pcb;
	uint32_t sequence;

	if (!tcp_tw_pcbs || !segment_find(&s, bytes, length))
		return;
	if ((s.tcp[FLAGS] & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return;
	sequence = (uint32_t)read16(s.tcp + 4) << 16 | read16(s.tcp + 6);
	pcb = waiting_find(&s);
	if (pcb && TCP_SEQ_GT(sequence, pcb->rcv_nxt))
		tcp_abort(pcb);         /* of one that waits: no reset is sent */
}
