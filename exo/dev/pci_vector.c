/* SPDX-License-Identifier: MIT */
/*
 * pci_vector.c - MSI-X vectors of claimed functions, as events.
 *
 * Invariant: a processor vector that was taken stays the claims'; it is one function's while
 * `f` is set.  Locks as in irq.c: tree_lock guards who is bound, the vector's own lock, inside,
 * what the handler uses; it posts with that lock held, so who was unbound is never touched again.
 */
#include "dev/pci_claim.h"

#include <exo/pci.h>

#include "calls.h"
#include "charge.h"
#include "hold.h"
#include "dev/iommu.h"
#include "dev/pci_function.h"
#include "kernel.h"

static struct pci_vector {
	struct lock lock;
	struct pci_function *f; /* NULL: free */
	uint32_t n;             /* of its MSI-X table */
	uint32_t entry;
	struct env *env;
	bool ours;              /* the processor vector was taken for claims */
	bool taken;             /* delivered, not yet acknowledged */
	bool again;             /* one came while `taken`: masked until exo_pci_ack */
	bool held;              /* masked until the next slot, whatever is acknowledged */
} vectors[256];

/* One that comes while it is masked waits in the device. */
static void vector_deliver(void *context)
{
	struct pci_vector *v = context;
	uint64_t began = charge_begin();

	lock_take(&v->lock);
	if (v->f && v->env) {
		v->again = v->taken;
		if (v->taken)
			msix_mask(&v->f->msix, v->n, true);
		else
			event_post(v->env, v->entry);
		v->taken = true;
		if (!charge_interrupt(v->env, began)) {
			msix_mask(&v->f->msix, v->n, true);
			v->held = true;
		}
		/* Last: who sees it may count on what was masked. */
		__atomic_store_n(&v->f->info->interrupts, v->f->info->interrupts + 1,
		                 __ATOMIC_RELEASE);
	}
	lock_release(&v->lock);
}

static unsigned vector_number(const struct pci_vector *v)
{
	return (unsigned)(v - vectors);
}

/* One that is free, taken from the processor's if need be; NULL: none is left. */
static struct pci_vector *vector_free(void)
{
	unsigned number;

	for (unsigned i = 0; i < ARRAY_LEN(vectors); i++)
		if (vectors[i].ours && !vectors[i].f)
			return &vectors[i];
	/* The handler's context is its own number's place, known only when it is taken. */
	number = vector_take(vector_deliver, NULL);
	if (!number)
		return NULL;
	vector_context(number, &vectors[number]);
	vectors[number].ours = true;
	return &vectors[number];
}

static struct pci_vector *vector_of(const struct pci_function *f, uint64_t n)
{
	for (unsigned i = 0; i < ARRAY_LEN(vectors); i++)
		if (vectors[i].f == f && vectors[i].n == n)
			return &vectors[i];
	return NULL;
}

/* The event entry stays the caller's to free: an environment that ends does so itself. */
static void vector_end(struct pci_vector *v)
{
	msix_mask(&v->f->msix, v->n, true);
	iommu_vector_clear(vector_number(v));
	lock_take(&v->lock);
	v->f = NULL;
	v->env = NULL;
	v->taken = v->again = v->held = false;
	lock_release(&v->lock);
}

static void vector_unbind(struct pci_vector *v)
{
	struct env *env = v->env;

	vector_end(v);
	event_free(env, v->entry);
}

void pci_vector_forget(uint64_t vector)
{
	vector_end(&vectors[vector]);
}

void pci_vectors_end(struct pci_function *f)
{
	for (unsigned i = 0; i < ARRAY_LEN(vectors); i++) {
		if (vectors[i].f != f)
			continue;
		vector_unbind(&vectors[i]);
		interrupts_window();    /* an invalidation was waited for */
	}
	if (f->msix.entries)
		msix_quiet(&f->msix);
	f->started = false;
}

static int vector_bind(struct env *e, struct exo_cap *c, struct pci_function *f, uint32_t n,
                       unsigned entry)
{
	struct pci_vector *v;
	struct iommu_message m;
	int err;

	if (vector_of(f, n))
		return -EXO_E_BUSY;
	if (!(f->info->flags & (EXO_PCI_IRQ_SAFE | EXO_PCI_UNSAFE)))
		return -EXO_E_ABSENT;
	v = vector_free();
	if (!v)
		return -EXO_E_ROOM;
	if ((err = event_reserve(e, entry, SOURCE_PCI_VECTOR, vector_number(v))) < 0)
		return err;
	f->user = slot_sid(c);
	if (!f->started) {
		pci_command(f->info->where, PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX, 0);
		msix_enable(&f->msix);
		f->started = true;
	}
	lock_take(&v->lock);
	v->f = f;
	v->n = n;
	v->env = e;
	v->entry = entry;
	lock_release(&v->lock);
	m = iommu_vector_set(f->requester, msi_address(0), vector_number(v));
	msix_write(&f->msix, n, m.address, m.data);
	return 0;
}

int64_t sys_pci_vector(struct env *e, uint64_t name, uint64_t n, uint64_t entry)
{
	struct pci_function *f;
	struct pci_vector *v;
	struct exo_cap *c;
	int err;

	if (entry >= EXO_EVENTS)
		return -EXO_E_RANGE;
	tree_take();
	err = pci_claim_find(e, name, &c, &f);
	if (!err && n >= f->info->vectors)
		err = -EXO_E_RANGE;
	if (!err && entry)
		err = vector_bind(e, c, f, (uint32_t)n, (unsigned)entry);
	else if (!err && (v = vector_of(f, n)))
		vector_unbind(v);
	tree_release();
	return err;
}

/* The next may come; one that came meanwhile is posted now. */
static void vector_ack(struct pci_vector *v)
{
	lock_take(&v->lock);
	if (v->taken) {
		v->taken = v->again;
		if (v->again) {
			v->again = false;
			event_post(v->env, v->entry);
			if (!v->held)
				msix_mask(&v->f->msix, v->n, false);
		}
	}
	lock_release(&v->lock);
}

void pci_vectors_release(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(vectors); i++) {
		struct pci_vector *v = &vectors[i];

		if (!__atomic_load_n(&v->held, __ATOMIC_RELAXED))
			continue;
		lock_take(&v->lock);
		if (v->held && !v->again)
			msix_mask(&v->f->msix, v->n, false);
		v->held = false;
		lock_release(&v->lock);
	}
}

/* tree_lock is held so that the function is not taken away meanwhile. */
int64_t sys_pci_ack(struct env *e, uint64_t name, uint64_t n)
{
	struct pci_vector *v = NULL;
	struct exo_cap *c;
	int err;

	tree_take();
	err = claim_find(e, name, EXO_KIND_PCI, EXO_R_CONTROL, &c);
	if (!err && n >= pci_function_at(c->unit)->info->vectors)
		err = -EXO_E_RANGE;
	if (!err && !c->child)
		v = vector_of(pci_function_at(c->unit), n);
	if (!err && (!v || v->env != e))
		err = -EXO_E_ARG;
	if (!err)
		vector_ack(v);
	tree_release();
	return err;
}
