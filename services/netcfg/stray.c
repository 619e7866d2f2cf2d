/* SPDX-License-Identifier: MIT */
/*
 * stray.c - packets for claimed ports that their claims cannot match.
 *
 * A claim on a port names the bytes where the port stands if the IPv4 header has no options and
 * the packet is no fragment.  Other packets for that port come to the wider claim, where lwIP knows
 * of no such port: it would reset the connection, or say that nobody listens.  Its raw interface
 * sees packets first (fragments put together): here they are dropped.
 */
#include <lwip/ip.h>
#include <lwip/raw.h>

#include "netcfg.h"

#define PORT_DESTINATION 2u     /* offset in the headers of TCP and UDP (RFC 9293, RFC 768) */

static u8_t on_packet(void *argument, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
	const uint16_t at = (uint16_t)(ip_current_header_tot_len() + PORT_DESTINATION);
	const uint16_t port = (uint16_t)(pbuf_get_at(p, at) << 8 | pbuf_get_at(p, at + 1));

	(void)argument;
	(void)from;
	if (p->tot_len < at + 2 || !claims_has_port(4, pcb->protocol, port))
		return 0;
	pbuf_free(p);
	return 1;
}

void stray_start(void)
{
	static const u8_t protocol[] = { IP_PROTO_TCP, IP_PROTO_UDP };

	for (unsigned i = 0; i < sizeof(protocol); i++) {
		struct raw_pcb *pcb = raw_new_ip_type(IPADDR_TYPE_V4, protocol[i]);

		if (pcb != NULL)
			raw_recv(pcb, on_packet, NULL);
	}
}
