/* SPDX-License-Identifier: MIT */
/*
 * peer.h - what the two ends of peers.c and peer.c agree on.
 *
 * The other end counts in exit_code of its environment page, which its starter sees: not 0 means
 * that it is where it waits.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <exos/start.h>

#define PEER_IDLE    "idle"     /* waits; its gate's entry is its starter's choice */
#define PEER_SERVICE "service"  /* waits; spare[0] = entry, exit_code = badge of its service */
#define PEER_YIELD   "yield"    /* counts and yields to its starter */
#define PEER_EVENT   "event"    /* answers each post of PEER_ENTRY by one to its starter */

#define PEER_ENTRY 200u
#define PEER_STACK EXOS_STACK_HI        /* the first page of the stack is there by then */

#endif
