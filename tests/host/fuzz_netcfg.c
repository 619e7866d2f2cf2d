/* SPDX-License-Identifier: MIT */
/*
 * fuzz_netcfg.c - arbitrary bytes as net.conf.
 */
// sources: services/netcfg/conf.c libnet/address.c exo/base/format.c exo/base/string.c
// includes: services/netcfg libnet/include
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* A configuration that is taken says nothing that cannot be. */
static void conf_try(const uint8_t *data, size_t bytes)
{
	char why[64];
	struct conf c;

	if (conf_parse((const char *)data, bytes, &c, why, sizeof(why)) < 0) {
		if (strncmp(why, "line ", 5) != 0 || strlen(why) >= sizeof(why))
			abort();
		return;
	}
	if (c.ipv6s > CONF_IPV6 || c.dnses > CONF_DNS)
		abort();
	if (c.ipv4.addr.family && (c.ipv4.prefix == 0 || c.ipv4.prefix > 32))
		abort();
	if (c.gateway.family && !net_addr_within(&c.gateway, &c.ipv4.addr, c.ipv4.prefix))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	conf_try(data, bytes);
	return 0;
}
