/* SPDX-License-Identifier: MIT */
/*
 * lease.c - keeping the lease of DHCP, by the second.
 *
 * lwIP counts leases in minutes, from any moment of a minute on: a short one would end before it is
 * renewed.  Its three counters are emptied as soon as it has set them (which is how a new lease is
 * seen), and what they stand for is done here.
 */
#include "lease.h"

#include <exos/time.h>
#include <lwip/dhcp.h>
#include <lwip/init.h>

#include "netcfg.h"

#define SECOND_NS 1000000000ull

static struct lease lease;
static uint64_t begin_tsc;      /* 0: there is no lease */

uint64_t lease_begin(void)
{
	return begin_tsc;
}

static void lease_note(struct dhcp *d)
{
	if (d->t0_timeout == 0 && d->t1_renew_time == 0 && d->t2_rebind_time == 0)
		return;
	d->t0_timeout = d->t1_renew_time = d->t2_rebind_time = 0;
	lease = (struct lease){
		.t0 = d->offered_t0_lease, .t1 = d->offered_t1_renew, .t2 = d->offered_t2_rebind,
	};
	begin_tsc = exos_tsc();
}

/* Ask whoever may answer for the address that we have. */
static void rebind(void)
{
#if LWIP_VERSION_MAJOR == 2 && LWIP_VERSION_MINOR < 2
	dhcp_network_changed(netcfg.netif);
#else
	dhcp_network_changed_link_up(netcfg.netif);
#endif
}

void lease_tick(void)
{
	struct dhcp *d = netif_dhcp_data(netcfg.netif);
	uint64_t age_s;

	if (d == NULL)
		return;
	lease_note(d);
	if (ip4_addr_isany(netif_ip4_addr(netcfg.netif)))
		begin_tsc = 0;
	if (begin_tsc == 0 || !netif_is_link_up(netcfg.netif))
		return;
	age_s = exos_tsc_to_ns(exos_tsc() - begin_tsc) / SECOND_NS;
	switch (lease_act(&lease, (uint32_t)age_s)) {
	case LEASE_RENEW:
		dhcp_renew(netcfg.netif);
		break;
	case LEASE_REBIND:
		rebind();
		break;
	case LEASE_END:
		begin_tsc = 0;
		dhcp_release_and_stop(netcfg.netif);
		dhcp_start(netcfg.netif);
		break;
	case LEASE_KEEP:
		break;
	}
}
