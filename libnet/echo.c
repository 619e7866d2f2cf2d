/* SPDX-License-Identifier: MIT */
/*
 * echo.c - echo requests and their replies (RFC 792, RFC 4443 section 4).
 *
 * The claim is on an identifier of one's own: other programs' replies do not come here.
 */
#include "socket_parts.h"

#include <base/string.h>
#include <exos/time.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>

#include "pattern.h"

#define ECHO_HEADER  8u
#define ECHO_PAYLOAD 1400u
#define ECHO_ANY_ID  0xffffu    /* "a free one" (net/config.h) */

/* Replies to this socket's requests are queued behind their IP header; the rest goes on. */
static u8_t on_packet(void *argument, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
	struct net_socket *s = argument;
	uint8_t head[ECHO_HEADER];
	struct net_addr addr = net_addr_from_lwip(from);
	u16_t skip = ip_current_header_tot_len();
	uint8_t reply = addr.family == 6 ? PATTERN_ECHO6_REPLY : PATTERN_ECHO4_REPLY;
	uint16_t ttl = addr.family == 4 ? ((const uint8_t *)p->payload)[8] : 0;

	(void)pcb;
	if (pbuf_copy_partial(p, head, sizeof head, skip) != sizeof head || head[0] != reply ||
	    (head[PATTERN_ECHO_ID] << 8 | head[PATTERN_ECHO_ID + 1]) != s->port)
		return 0;
	pbuf_remove_header(p, skip);
	if (!socket_queue(s, p, &addr, ttl))
		pbuf_free(p);
	return 1;
}

static int echo_start(struct net_socket *s, uint32_t family)
{
	uint8_t protocol = family == 6 ? NET_ICMPV6 : NET_ICMP;
	struct net_flow flow = { .protocol = protocol, .family = (uint8_t)family,
				 .echo = ECHO_ANY_ID };
	int err = socket_claim(s, 0, &flow, &s->port);

	if (err < 0)
		return err;
	s->raw = raw_new_ip_type(family == 6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4, protocol);
	if (!s->raw)
		return -NET_E_NOMEM;
	if (family == 6) {
		s->raw->chksum_reqd = 1;
		s->raw->chksum_offset = 2;
	}
	raw_recv(s->raw, on_packet, s);
	return 0;
}

int net_echo_open(struct net_stack *stack, uint32_t family, struct net_socket **out)
{
	struct net_socket *s;
	int err;

	if (family != 4 && family != 6)
		return -EXO_E_ARG;
	s = socket_new(stack, SOCKET_ECHO);
	if (!s)
		return -NET_E_NOMEM;
	err = echo_start(s, family);
	if (err < 0) {
		socket_free(s);
		return err;
	}
	*out = s;
	return 0;
}

static uint8_t payload_byte(uint32_t n)
{
	return (uint8_t)(n * 7 + 1);
}

static int request_send(struct net_socket *s, const struct net_addr *addr, uint16_t sequence,
			uint32_t bytes)
{
	struct pbuf *p = pbuf_alloc(PBUF_IP, (u16_t)(ECHO_HEADER + bytes), PBUF_RAM);
	uint8_t *b = p ? p->payload : NULL;
	ip_addr_t to;
	uint16_t sum;
	err_t error;

	if (!p)
		return -NET_E_NOMEM;
	memset(b, 0, ECHO_HEADER);
	b[0] = addr->family == 6 ? PATTERN_ECHO6_REQUEST : PATTERN_ECHO4_REQUEST;
	b[4] = (uint8_t)(s->port >> 8);
	b[5] = (uint8_t)s->port;
	b[6] = (uint8_t)(sequence >> 8);
	b[7] = (uint8_t)sequence;
	for (uint32_t i = 0; i < bytes; i++)
		b[ECHO_HEADER + i] = payload_byte(i);
	if (addr->family == 4) {
		sum = inet_chksum(b, p->len);
		memcpy(b + 2, &sum, sizeof sum);
	}
	net_addr_to_lwip(addr, &to);
	error = raw_sendto(s->raw, p, &to);
	pbuf_free(p);
	net_stack_flush(s->stack);
	return net_error_from_lwip(error);
}

/* Is the first queued packet the reply to this request?  Fills it in. */
static bool reply_take(struct net_socket *s, const struct net_addr *addr, uint16_t sequence,
		       struct net_echo *reply, bool *same)
{
	const struct socket_item *item = &s->item[s->first];
	bool mine = net_addr_equal(&item->from, addr) &&
		    pbuf_get_at(item->p, 6) == sequence >> 8 &&
		    pbuf_get_at(item->p, 7) == (sequence & 0xff);

	if (mine) {
		reply->bytes = item->p->tot_len - ECHO_HEADER;
		reply->ttl = (uint8_t)item->port;
		*same = true;
		for (uint32_t i = 0; i < reply->bytes; i++)
			*same &= pbuf_get_at(item->p, (u16_t)(ECHO_HEADER + i)) == payload_byte(i);
	}
	socket_drop_first(s);
	return mine;
}

int net_echo(struct net_socket *s, const struct net_addr *addr, uint16_t sequence,
	     uint32_t bytes, uint64_t deadline_tsc, struct net_echo *reply)
{
	uint64_t start;
	bool same = false;
	int err;

	if (s->kind != SOCKET_ECHO || !addr->family || bytes > ECHO_PAYLOAD)
		return -EXO_E_ARG;
	socket_resolve(s->stack, addr, deadline_tsc);
	start = exos_tsc();
	err = request_send(s, addr, sequence, bytes);
	if (err < 0)
		return err;
	for (;;) {
		while (!s->items)
			if (!socket_wait(s->stack, deadline_tsc))
				return -NET_E_TIMEOUT;
		if (reply_take(s, addr, sequence, reply, &same))
			break;
	}
	reply->round_trip_ns = exos_tsc_to_ns(exos_tsc() - start);
	return same && reply->bytes == bytes ? 0 : -NET_E_PROTOCOL;
}
