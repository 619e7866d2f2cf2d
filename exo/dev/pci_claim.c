/* SPDX-License-Identifier: MIT */
/*
 * pci_claim.c - claims on PCI functions: configuration space, domains, reset, their end.
 *
 * Invariant: see pci_claim.h and dev/pci_function.h.  Nothing here waits for a device, but for the
 * IOMMU's answer to an invalidation, which has a limit.
 */
#include "dev/pci_claim.h"

#include <exo/pci.h>
#include <exo/space.h>

#include "calls.h"
#include "hold.h"
#include "dev/iommu.h"
#include "dev/pci_function.h"
#include "kernel.h"
#include "table.h"

enum {
	CONFIG_BYTES = 4096,
	CONFIG_STATUS = 6,
	STATUS_ERRORS = 0xf900,         /* cleared by writing ones */
	COMMANDS = EXO_PCI_COMMAND_IO | EXO_PCI_COMMAND_MEMORY | EXO_PCI_COMMAND_MASTER,
};

static struct pci_function *function_of(const struct exo_cap *c)
{
	return pci_function_at(c->unit);
}

int pci_give_check(const struct exo_cap *parent)
{
	if (parent->child)
		return -EXO_E_SPLIT;
	return parent->bind || function_of(parent)->user ? -EXO_E_MAPPED : 0;
}

int pci_claim_find(struct env *e, uint64_t name, struct exo_cap **c, struct pci_function **f)
{
	int err = claim_ready(e, name, EXO_KIND_PCI, EXO_R_CONTROL, c);

	if (err)
		return err;
	if ((*c)->child)
		return -EXO_E_SPLIT;
	*f = function_of(*c);
	return (*f)->step == PCI_RESET_NONE ? 0 : -EXO_E_BUSY;
}

int pci_map_check(const struct exo_cap *c, uint64_t pfn, uint64_t count)
{
	const struct pci_function *f = function_of(c);

	if (!(c->rights & EXO_R_MAP))
		return -EXO_E_RIGHTS;
	if (c->child)
		return -EXO_E_SPLIT;
	if (f->step != PCI_RESET_NONE)
		return -EXO_E_BUSY;
	for (uint64_t i = 0; i < count; i++)
		if (!pci_page_is_open(f, pfn + i))
			return -EXO_E_RANGE;
	return EXO_R_READ | EXO_R_WRITE;
}

void pci_use(const struct exo_cap *c)
{
	function_of(c)->user = slot_sid(c);
}

int pci_unbind(const struct exo_cap *c)
{
	struct pci_function *f = function_of(c);

	return f->user == slot_sid(c) ? pci_reset_step(f) : 0;
}

/* --- configuration space --- */

static int64_t config_read(const struct pci_function *f, unsigned off, unsigned size)
{
	uint64_t mask = (1ul << 8 * size) - 1;

	return (int64_t)(pci_read(f->info->where, off & ~3u) >> 8 * (off & 3) & mask);
}

static int command_check(const struct pci_function *f, uint64_t value)
{
	if (value & ~(uint64_t)COMMANDS)
		return -EXO_E_ARG;
	if (!(value & EXO_PCI_COMMAND_MEMORY) && f->started)
		return -EXO_E_BUSY;
	if (!(value & EXO_PCI_COMMAND_MASTER) || (f->info->flags & EXO_PCI_UNSAFE))
		return 0;
	if (!(f->info->flags & EXO_PCI_DMA))
		return -EXO_E_ABSENT;
	if (!iommu_covers(f))
		return -EXO_E_DEVICE;
	return f->info->domain ? 0 : -EXO_E_NOTABLE;
}

static int config_write(struct env *e, uint64_t name, unsigned off, unsigned size, uint64_t value)
{
	struct pci_function *f;
	struct exo_cap *c;
	int err = pci_claim_find(e, name, &c, &f);

	if (err)
		return err;
	if (size != 2 || (off != PCI_COMMAND && off != CONFIG_STATUS))
		return -EXO_E_RIGHTS;
	if (off == CONFIG_STATUS) {
		pci_write(f->info->where, PCI_COMMAND,
		          (pci_read(f->info->where, PCI_COMMAND) & 0xffff) |
		          (uint32_t)(value & STATUS_ERRORS) << 16);
		return 0;
	}
	if ((err = command_check(f, value)) < 0)
		return err;
	f->user = slot_sid(c);
	pci_command(f->info->where, (uint32_t)value | PCI_COMMAND_NO_INTX,
	            ~(uint32_t)value & COMMANDS);
	return 0;
}

int64_t sys_pci_config(struct env *e, uint64_t name, uint64_t off, uint64_t size, uint64_t value)
{
	bool write = size & EXO_PCI_WRITE;
	struct exo_cap *c;
	int64_t result;

	size &= ~(uint64_t)EXO_PCI_WRITE;
	if ((size != 1 && size != 2 && size != 4) || off % size)
		return -EXO_E_ARG;
	if (off >= CONFIG_BYTES)
		return -EXO_E_RANGE;
	tree_take();
	result = claim_find(e, name, EXO_KIND_PCI, 0, &c);
	if (!result)
		result = write ? config_write(e, name, (unsigned)off, (unsigned)size, value)
		               : config_read(function_of(c), (unsigned)off, (unsigned)size);
	tree_release();
	return result;
}

/* --- domains --- */

/* Functions of a space: a list of places in the list of functions, plus one; 0: none. */
static struct pci_function *space_first(uint64_t pfn)
{
	uint64_t first = *table_link(pfn, TABLE_ENVS);

	return first ? pci_function_at((uint32_t)first - 1) : NULL;
}

static uint64_t place_of(const struct pci_function *f)
{
	return f ? (uint64_t)(f->info - pci.info) + 1 : 0;
}

static void space_join(uint64_t pfn, struct pci_function *f)
{
	f->next = space_first(pfn);
	*table_link(pfn, TABLE_ENVS) = place_of(f);
}

static void space_part(uint64_t pfn, struct pci_function *f)
{
	struct pci_function *at = space_first(pfn);

	if (at == f) {
		*table_link(pfn, TABLE_ENVS) = place_of(f->next);
		return;
	}
	while (at->next != f)
		at = at->next;
	at->next = f->next;
}

static void fault_tell(struct pci_function *f, struct env *env, unsigned entry)
{
	struct env *before = f->env;
	unsigned entry_before = f->entry;

	lock_take(&f->lock);
	f->env = env;
	f->entry = entry;
	f->told = 0;
	lock_release(&f->lock);
	if (before)
		event_free(before, entry_before);
}

void pci_domain_leave(struct pci_function *f)
{
	uint64_t space = f->info->domain;

	if (!space)
		return;
	pci_command(f->info->where, 0, PCI_COMMAND_MASTER);
	iommu_detach(f);
	space_part(space, f);
	f->info->domain = 0;
	f->info->holder = 0;
	fault_tell(f, NULL, 0);
}

void pci_space_end(uint64_t pfn)
{
	struct pci_function *f;

	while ((f = space_first(pfn)))
		pci_domain_leave(f);
}

void pci_fault_forget(uint64_t index)
{
	struct pci_function *f = pci_function_at((uint32_t)index);

	lock_take(&f->lock);
	f->env = NULL;
	lock_release(&f->lock);
}

static int space_check(struct env *e, uint64_t name, struct exo_cap **space)
{
	int err = claim_ready(e, name, EXO_KIND_SPACE, EXO_R_CONTROL, space);

	if (err)
		return err;
	return (*space)->unit != EXO_SPACE_DEVICE ? -EXO_E_KIND : 0;
}

static int domain_enter(struct env *e, struct exo_cap *c, struct pci_function *f, uint64_t name,
                        unsigned entry)
{
	struct exo_cap *space;
	int err = space_check(e, name, &space);

	if (err)
		return err;
	if (f->info->domain)
		return -EXO_E_BUSY;
	if (!(f->info->flags & EXO_PCI_DMA))
		return -EXO_E_ABSENT;
	if (entry && (err = event_reserve(e, entry, SOURCE_PCI_FAULT, c->unit)) < 0)
		return err;
	if ((err = iommu_attach(f, space->lo)) < 0) {
		if (entry)
			event_free(e, entry);
		return err;
	}
	fault_tell(f, entry ? e : NULL, entry);
	space_join(space->lo, f);
	f->user = slot_sid(c);
	f->info->domain = space->lo;
	f->info->holder = slot_sid(c);
	return 0;
}

int64_t sys_pci_bind(struct env *e, uint64_t name, uint64_t space, uint64_t entry)
{
	struct pci_function *f;
	struct exo_cap *c;
	int err;

	if (entry >= EXO_EVENTS)
		return -EXO_E_RANGE;
	tree_take();
	err = pci_claim_find(e, name, &c, &f);
	if (!err && space)
		err = domain_enter(e, c, f, space, (unsigned)entry);
	else if (!err)
		pci_domain_leave(f);
	tree_release();
	return err;
}

/* A reset under way is gone on with; that is the only call which takes one for no error. */
int64_t sys_pci_reset(struct env *e, uint64_t name)
{
	struct pci_function *f;
	struct exo_cap *c;
	int err;

	tree_take();
	err = pci_claim_find(e, name, &c, &f);
	if (!err || (err == -EXO_E_BUSY && f->user == slot_sid(c))) {
		f->user = slot_sid(c);
		err = pci_reset_step(f);
		if (!err && c->bind)
			f->user = slot_sid(c);
	}
	tree_release();
	return err;
}
