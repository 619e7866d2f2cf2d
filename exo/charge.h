/* SPDX-License-Identifier: MIT */
/*
 * charge.h - time that an environment has of others' slots, and how it pays for it.
 *
 * Who puts off the end of a slot, or whose interrupts arrive while another runs, owes that time:
 * its next slot begins later by as much, and until then whoever is next in the vector runs.
 */
#ifndef EXO_CHARGE_H
#define EXO_CHARGE_H

#include <exo/types.h>
#include <stdbool.h>

struct cpu;
struct env;

/* The environment owes so many time stamps more, a slot at most. */
void charge_add(struct env *e, uint64_t tsc);

/*
 * An interrupt of `owner` was handled on this CPU since `began`: false if it has used up what it
 * may take of others in one slot.  Then its source is kept masked until irqs_release.
 */
bool charge_interrupt(struct env *owner, uint64_t began);

/* The time when a handler begins. */
uint64_t charge_begin(void);

/*
 * What was done on this CPU since *since was done for `owner`, NULL: for nobody.  It owes that time
 * if it was another's; *since is the present time.
 */
void charge_work(struct env *owner, uint64_t *since);

/*
 * Slot `slot` of the CPU begins at `start`: if its owner owes something, and another is named by
 * the vector, that one's slot, which is the present one until *end, written too.  Else `slot`.
 */
unsigned charge_pay(struct cpu *c, unsigned slot, uint64_t start, uint64_t *end);

#endif
