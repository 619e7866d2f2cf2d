/* SPDX-License-Identifier: MIT */
/*
 * client.h - what the network commands share: starting the stack, being interrupted, careful text.
 *
 * A command finds the grants `netcfg` (the page that says addresses), `net-gate` (where claims on
 * packets are asked for) and `interrupt`: its `lo` is the entry of the event ring that the shell
 * posts for Ctrl-C.
 */
#ifndef SERVICES_CLIENT_H
#define SERVICES_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <net/address.h>
#include <net/stack.h>

/* The stack of this program, or NULL after `who` has said why there is none. */
struct net_stack *client_start(const char *who);

/* Look a host up, waiting at most 10 s: 0, or an error that was told. */
int client_lookup(const char *who, struct net_stack *stack, const char *host,
		  struct net_addr *out);

/* Say "WHO: WHAT: the error's text"; returns 1, for main. `what` may come from outside. */
int client_fail(const char *who, const char *what, int64_t error);

/* Was Ctrl-C typed? */
bool client_interrupted(void);

/*
 * One turn of the stack, waiting until the deadline (TSC, 0: none) but never so long that Ctrl-C
 * would seem to be ignored.
 */
void client_turn(struct net_stack *stack, uint64_t deadline_tsc);

/* Look after packets and timers until the deadline (TSC) or Ctrl-C. */
void client_rest(struct net_stack *stack, uint64_t deadline_tsc);

/*
 * Print bytes that came from outside: what is neither printable nor (with `lines`) a line end or
 * tab is shown as \xNN.
 */
void client_print(const void *bytes, size_t count, bool lines);

#endif
