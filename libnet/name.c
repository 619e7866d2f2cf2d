/* SPDX-License-Identifier: MIT */
/*
 * name.c - host names: numeric addresses, and DNS over UDP to the servers netcfg knows.
 */
#include "dns_message.h"
#include "socket_parts.h"

#include <exos/time.h>

#define TRIES     3u
#define ANSWER_NS (1500ul * 1000000)    /* for one try */

/* Wait for the answer to one query; -NET_E_TIMEOUT: none came. */
static int answer_wait(struct net_socket *s, const uint8_t *query, size_t query_bytes,
		       uint16_t type, const struct net_addr *server, uint64_t deadline_tsc,
		       struct net_addr *out)
{
	uint8_t message[512];

	for (;;) {
		struct net_addr from;
		uint16_t port;
		int64_t got = net_receive_from(s, message, sizeof message, &from, &port,
					       deadline_tsc);
		int err;

		if (got < 0)
			return (int)got;
		if (port != DNS_PORT || !net_addr_equal(&from, server))
			continue;
		err = dns_answer(message, (size_t)got, query, query_bytes, type, out);
		if (err != -NET_E_PROTOCOL)
			return err;
	}
}

static int ask(struct net_socket *s, const struct net_addr *server, const char *host,
	       uint16_t type, uint64_t deadline_tsc, struct net_addr *out)
{
	uint8_t query[DNS_QUERY_BYTES];
	size_t bytes = dns_query(query, (uint16_t)LWIP_RAND(), host, type);
	uint64_t end = exos_deadline(ANSWER_NS);
	int64_t sent;

	if (bytes == 0)
		return -NET_E_BAD_NAME;
	if (deadline_tsc && deadline_tsc < end)
		end = deadline_tsc;
	sent = net_send_to(s, query, bytes, server, DNS_PORT);
	if (sent < 0)
		return (int)sent;
	return answer_wait(s, query, bytes, type, server, end, out);
}

/* One server, by a socket of its family with a fresh port: answers are hard to forge. */
static int ask_server(struct net_stack *stack, const struct net_addr *server, const char *host,
		      uint64_t deadline_tsc, struct net_addr *out)
{
	struct net_socket *s;
	int err = net_udp(stack, server->family, 0, &s);

	if (err < 0)
		return err;
	err = ask(s, server, host, DNS_TYPE_A, deadline_tsc, out);
	if (err == -NET_E_NO_NAME && net_page_address(&stack->copy, 6))
		err = ask(s, server, host, DNS_TYPE_AAAA, deadline_tsc, out);
	net_close(s);
	return err;
}

int net_lookup(struct net_stack *stack, const char *host, uint64_t deadline_tsc,
	       struct net_addr *out)
{
	uint8_t query[DNS_QUERY_BYTES];
	int err = -NET_E_NO_DNS;

	if (net_addr_parse(host, NULL, out) == 0)
		return 0;
	if (dns_query(query, 0, host, DNS_TYPE_A) == 0)
		return -NET_E_BAD_NAME;
	stack_page_look(stack);
	for (unsigned i = 0; i < TRIES * NET_PAGE_DNS; i++) {
		const struct net_addr *server = &stack->copy.dns[i % NET_PAGE_DNS];

		if (!server->family)
			continue;
		if (deadline_tsc && exos_tsc() >= deadline_tsc)
			return -NET_E_TIMEOUT;
		err = ask_server(stack, server, host, deadline_tsc, out);
		if (err == 0 || err == -NET_E_NO_NAME)
			return err;
	}
	return err;
}
