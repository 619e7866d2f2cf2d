/* SPDX-License-Identifier: MIT */
/*
 * fuzz_dns.c - any bytes as the answer to a DNS query.
 */
// sources: libnet/dns_message.c
// includes: libnet/include libnet
#include <stdlib.h>
#include <string.h>

#include <dns_message.h>
#include <net/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t type = size && data[0] & 1 ? DNS_TYPE_AAAA : DNS_TYPE_A;
	uint8_t query[DNS_QUERY_BYTES], *message = malloc(size + 12 + DNS_QUERY_BYTES);
	size_t bytes = dns_query(query, 0x4142, "a.example", type);
	struct net_addr out = { .family = 77 };
	int err;

	/* With the right question before it, so that the records are reached. */
	memcpy(message, query, bytes);
	message[2] = 0x81;
	message[7] = size ? data[0] : 0;
	memcpy(message + bytes, data, size);
	message = realloc(message, bytes + size);
	err = dns_answer(message, bytes + size, query, bytes, type, &out);
	if (err == 0 ? out.family != (type == DNS_TYPE_A ? 4u : 6u) : out.family != 77)
		abort();
	err = dns_answer(data, size, query, bytes, type, &out);
	if (err > 0)
		abort();
	free(message);
	return 0;
}
