/* SPDX-License-Identifier: MIT */
/*
 * irq.c - one environment at a time receives an interrupt source, as events.
 *
 * Invariant: see irq.h.  Locks: tree_lock guards who is bound; the source's lock, taken inside,
 * guards what the interrupt handler reads and writes.  The handler posts with the source's lock
 * held, so an environment that has been unbound is never touched again.
 */
#include "dev/irq.h"

#include "charge.h"
#include "claim.h"
#include "dev/acpi.h"
#include "hold.h"
#include "kernel.h"
#include "lock.h"
#include "x86/ioapic.h"

struct irq_source {
	struct lock lock;
	uint32_t gsi;           /* [I] */
	uint32_t index;         /* [I] in irqs.info */
	bool level;             /* [I] */
	bool taken;             /* delivered, not yet acknowledged */
	bool held;              /* masked until the next slot, whatever is acknowledged */
	bool acked;             /* acknowledged while it was held */
	bool again;             /* an edge came while `taken`: masked until exo_irq_ack */
	exo_sid claim;          /* bound by it, 0: not bound */
	uint32_t entry;
	struct env *env;
};

struct irq_list irqs;
static struct irq_source *sources;      /* [I] irqs.count of them */

static struct irq_source *source_of(uint64_t gsi)
{
	for (uint32_t i = 0; i < irqs.count; i++) {
		if (sources[i].gsi == gsi)
			return &sources[i];
	}
	return NULL;
}

/* Not before the next slot again; an edge that comes meanwhile is not seen, but remembered. */
static void source_hold(struct irq_source *s)
{
	ioapic_mask(s->gsi);
	s->held = true;
	s->again = s->again || !s->level;
}

/* The interrupt handler: runs on the boot processor. */
static void irq_deliver(void *context)
{
	struct irq_source *s = context;
	uint64_t began = charge_begin();

	lock_take(&s->lock);
	irqs.info[s->index].count++;
	if (!s->env) {
		ioapic_mask(s->gsi);
	} else if (s->taken) {
		ioapic_mask(s->gsi);
		s->again = !s->level;
	} else {
		if (s->level)
			ioapic_mask(s->gsi);
		s->taken = true;
		event_post(s->env, s->entry);
	}
	if (s->env && !charge_interrupt(s->env, began))
		source_hold(s);
	lock_release(&s->lock);
}

static bool source_start(struct irq_source *s, uint32_t gsi, uint32_t apic_id)
{
	unsigned vector = vector_take(irq_deliver, s);

	if (!vector)
		return false;
	*s = (struct irq_source){ .gsi = gsi, .index = irqs.count,
		.level = ioapic_wire(gsi).level };
	irqs.info[irqs.count].gsi = gsi;
	ioapic_route(gsi, vector, apic_id);
	return true;
}

void irqs_start(uint32_t apic_id)
{
	uint32_t n = ioapic_inputs();

	sources = boot_frames((n * sizeof(*sources) + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE);
	irqs.info = boot_export(n * sizeof(*irqs.info));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t gsi = ioapic_gsi(i);

		if (source_of(gsi))
			continue;
		if (!source_start(&sources[irqs.count], gsi, apic_id)) {
			machine_notice("no vector left for interrupts from %u on: not usable", gsi);
			return;
		}
		irqs.count++;
	}
}

/* May `e` bind this claim's source to this entry?  tree_lock held. */
static int bind_check(const struct exo_cap *c, const struct irq_source *s)
{
	if (c->flags & EXO_CAP_FROZEN)
		return -EXO_E_FROZEN;
	if (c->child)
		return -EXO_E_SPLIT;
	if (!s)
		return -EXO_E_ABSENT;
	return c->bind || s->env ? -EXO_E_BUSY : 0;
}

static int irq_bind(struct env *e, struct exo_cap *c, unsigned entry)
{
	struct irq_source *s = source_of(c->lo);
	int err = bind_check(c, s);

	if (!err)
		err = event_reserve(e, entry, SOURCE_IRQ, s ? s->gsi : 0);
	if (err < 0)
		return err;
	c->bind = e->pfn;
	irqs.info[s->index].bound_env = e->pfn;
	lock_take(&s->lock);
	s->claim = slot_sid(c);
	s->entry = entry;
	s->env = e;
	s->taken = s->again = s->held = s->acked = false;
	ioapic_unmask(s->gsi);
	lock_release(&s->lock);
	return 0;
}

void irq_unbind(uint32_t gsi)
{
	struct irq_source *s = source_of(gsi);
	struct env *e = s ? s->env : NULL;

	if (!e)
		return;
	lock_take(&s->lock);
	ioapic_mask(gsi);
	s->env = NULL;
	lock_release(&s->lock);
	slot_at(s->claim)->bind = 0;
	s->claim = 0;
	irqs.info[s->index].bound_env = 0;
	event_free(e, s->entry);
}

int64_t sys_irq_bind(struct env *e, uint64_t irq, uint64_t entry)
{
	struct exo_cap *c;
	int err;

	if (entry >= EXO_EVENTS)
		return -EXO_E_RANGE;
	tree_take();
	err = claim_find(e, irq, EXO_KIND_IRQ, EXO_R_CONTROL, &c);
	if (!err && entry)
		err = irq_bind(e, c, (unsigned)entry);
	else if (!err && c->bind)
		irq_unbind((uint32_t)c->lo);
	tree_release();
	return err;
}

/* The next may come; one that came meanwhile is posted now.  The source's lock held. */
static void source_ack(struct irq_source *s)
{
	bool was_masked = s->level || s->again;

	if (!s->taken)
		return;
	if (s->held) {
		s->acked = true;
		return;
	}
	s->taken = s->again && s->env;
	s->again = false;
	if (was_masked)
		ioapic_unmask(s->gsi);
	if (s->taken)
		event_post(s->env, s->entry);
}

void irqs_release(void)
{
	for (uint32_t i = 0; i < irqs.count; i++) {
		struct irq_source *s = &sources[i];
		bool acked;

		lock_take(&s->lock);
		acked = s->held && s->acked && s->env;
		s->held = s->acked = false;
		if (acked)
			source_ack(s);
		lock_release(&s->lock);
	}
}

int64_t sys_irq_ack(struct env *e, uint64_t irq)
{
	struct irq_source *s;
	struct exo_cap *c;
	int err = claim_find(e, irq, EXO_KIND_IRQ, EXO_R_CONTROL, &c);

	if (err < 0)
		return err;
	s = source_of(c->lo);
	if (!s)
		return -EXO_E_ABSENT;
	lock_take(&s->lock);
	if (s->env == e && s->claim == slot_sid(c))
		source_ack(s);
	else
		err = -EXO_E_ARG;
	lock_release(&s->lock);
	return err;
}
