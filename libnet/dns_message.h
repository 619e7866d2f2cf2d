/* SPDX-License-Identifier: MIT */
/*
 * dns_message.h - DNS queries and answers as bytes (RFC 1035 section 4, RFC 3596).
 */
#ifndef LIBNET_DNS_MESSAGE_H
#define LIBNET_DNS_MESSAGE_H

#include <net/address.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_PORT        53u
#define DNS_QUERY_BYTES 272u    /* header, the longest name, type and class */
#define DNS_TYPE_A      1u
#define DNS_TYPE_AAAA   28u

/*
 * A query for a host's addresses: its length, or 0 if `host` is no host name (labels of 1 to 63
 * letters, digits, '-' and '_'; 253 bytes in all; one dot may stand at the end).
 */
size_t dns_query(uint8_t message[DNS_QUERY_BYTES], uint16_t id, const char *host, uint16_t type);

/*
 * Read the answer to a query: 0 with the first address of this type in *out; -NET_E_NO_NAME: there
 * is none; -NET_E_DNS_FAILED: the server says it failed; -NET_E_PROTOCOL: not an answer to it.
 * Any bytes may be in `message`.
 */
int dns_answer(const uint8_t *message, size_t bytes, const uint8_t *query, size_t query_bytes,
	       uint16_t type, struct net_addr *out);

#endif
