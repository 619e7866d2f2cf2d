/* SPDX-License-Identifier: MIT */
/*
 * port.h - I/O ports as claims: the list of ports that may be given at all, who holds each, and the
 * call to use them.
 *
 * Invariant: a port that reaches memory, interrupts or configuration space is in no list entry, so
 * no claim covers it.
 */
#ifndef EXO_PORT_INTERNAL_H
#define EXO_PORT_INTERNAL_H

#include <exo/machine.h>
#include <stdbool.h>
#include <stdint.h>

#include "env.h"

/* The exported list, sorted by nothing; `root` is filled in by who makes the root claims. */
struct port_list {
	struct exo_port_info *info;
	uint32_t count;
};
extern struct port_list ports;

/*
 * Make the list: what every PC has, the FADT's registers of `acpi`, and the debug-exit device if
 * the boot line says so.  Boot only; after acpi_start.
 */
void ports_start(bool debug_exit);

/*
 * Are all ports of [lo, hi) held by `sid`?  Let those that `from` holds be held by `to`; 0: nobody.
 * tree_lock held.
 */
bool ports_held(uint64_t lo, uint64_t hi, exo_sid sid);
void ports_move(uint64_t lo, uint64_t hi, exo_sid from, exo_sid to);

#define PORTS 0x10000u
extern exo_sid *port_holder;    /* [PORTS]; made when the system starts */

#define PORT_OPS_MAX   64u      /* entries of one call */
#define PORT_TRIES_MAX 4096u    /* port accesses of one call, repeated ones included */

/*
 * exo_port_io: run `count` struct exo_port_op at user address `ops` within the claim `slot`.
 * Returns how many were done: less than count if an UNTIL ran out of tries or the call out of
 * accesses.  Errors, if the first entry was not done: STALE, KIND, RIGHTS (needs CONTROL), FROZEN,
 * ARG (count, size, op, tries), RANGE, SPLIT (given away), FAULT.  Takes tree_lock for short
 * pieces.
 */
int64_t sys_port_io(struct env *e, uint64_t slot, uint64_t ops, uint64_t count);

#endif
