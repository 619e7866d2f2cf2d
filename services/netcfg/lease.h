/* SPDX-License-Identifier: MIT */
/*
 * lease.h - when to ask for a lease again.
 */
#ifndef NETCFG_LEASE_H
#define NETCFG_LEASE_H

#include <stdint.h>

#define LEASE_FOR_EVER 0xffffffffu

struct lease {
	uint32_t t0, t1, t2;    /* seconds: its end; from when its server, and any, is asked */
	uint32_t asked;         /* seconds after its begin that it was last asked for; 0: not yet */
};

enum lease_act { LEASE_KEEP, LEASE_RENEW, LEASE_REBIND, LEASE_END };

/* What to do `age` seconds after it began (RFC 2131, section 4.4.5); notes in it that it asks. */
enum lease_act lease_act(struct lease *lease, uint32_t age);

#endif
