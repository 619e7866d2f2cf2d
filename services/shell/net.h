/* SPDX-License-Identifier: MIT */
/*
 * net.h - the parts of the command net.
 */
#ifndef SHELL_NET_H
#define SHELL_NET_H

/* net_config.c: addresses, routes and neighbours, as netcfg's page tells them. */
void net_config_print(void);

/* net_claims.c: claims on packets with their patterns and counters, and the rings. */
void net_claims_print(void);

#endif
