/* SPDX-License-Identifier: MIT */
/*
 * peer.h - what the two ends of peers.c, shared.c and peer.c agree on.
 *
 * The other end counts in exit_code of its environment page, which its starter sees: not 0 means
 * that it is where it waits.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <exos/spawn.h>
#include <exos/start.h>

#define PEER_IDLE    "idle"     /* waits; its gate's entry is its starter's choice */
#define PEER_SERVICE "service"  /* waits; spare[0] = entry, exit_code = badge of its service */
#define PEER_YIELD   "yield"    /* counts and yields to its starter */
#define PEER_EVENT   "event"    /* answers each post of PEER_ENTRY by one to its starter */
#define PEER_SHARED  "shared"   /* answers each post by the word in the shared page and a post */
#define PEER_ADD     "add"      /* waits; as PEER_SERVICE, its service adds its arguments */

#define PEER_ENTRY 200u
#define PEER_STACK EXOS_STACK_HI        /* the first page of the stack is there by then */

extern struct exos_child bench_peer;

/*
 * Start the other end, with one grant more or NULL: NULL when it waits, or why it does not.  One at
 * a time.
 */
const char *bench_peer_begin(const char *part, const struct exos_spawn_grant *more);
void bench_peer_end(void);

/* The same for one with a service: a gate to it, too, or why there is none. */
const char *bench_peer_gate(const char *part, exo_slot *gate);

/* What the other end does for the rows of shared.c. */
void bench_shared_answer(exo_slot to);
uint64_t bench_shared_add(const uint64_t *word);

#endif
