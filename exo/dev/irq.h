/* SPDX-License-Identifier: MIT */
/*
 * irq.h - interrupt sources as claims: one environment receives each, as events.
 *
 * Invariant: a source is bound exactly while its claim's `bind` names the environment and that
 * environment's event entry is reserved for it.  A source that is not bound is masked.
 *
 * Level-triggered sources are masked from delivery until exo_irq_ack.  Edge-triggered ones are not
 * (an I/O APIC forgets edges that come while it masks): a second edge before exo_irq_ack masks and
 * is remembered, and exo_irq_ack then posts again at once.  So no interrupt is lost, and there are
 * at most two between two acknowledgements.
 */
#ifndef EXO_IRQ_H
#define EXO_IRQ_H

#include <exo/machine.h>
#include <stdint.h>

#include "env.h"

/* The exported list, filled by irqs_start; `root` is filled in by who makes the root claims. */
struct irq_list {
	struct exo_irq_info *info;
	uint32_t count;
};
extern struct irq_list irqs;

/*
 * Take a vector for each input of the I/O APICs and route it to the CPU with this APIC id (the boot
 * processor), masked.  Boot only; after acpi_start and ioapic_start.
 */
void irqs_start(uint32_t apic_id);

/*
 * exo_irq_bind: receive the claim's interrupt as event `entry` of `e`; entry 0: no more.  Takes
 * tree_lock.  Errors: STALE, KIND, RIGHTS (needs CONTROL), FROZEN, SPLIT (a child has it), BUSY
 * (bound), RANGE or ROOM (entry).
 */
int64_t sys_irq_bind(struct env *e, uint64_t irq, uint64_t entry);

/* exo_irq_ack: let the next one come.  Errors: as claim_find's; ARG: it is not bound to `e`. */
int64_t sys_irq_ack(struct env *e, uint64_t irq);

/*
 * Sources that were masked because their environments had taken enough of others' time, on the CPU
 * that takes interrupts: a new slot began, they may come again.
 */
void irqs_release(void);

/*
 * End a binding: mask, free the event entry, clear the claim's `bind`.  tree_lock held; nothing to
 * do if it is not bound.  Called when the claim or the environment ends.
 */
void irq_unbind(uint32_t gsi);

#endif
