/* SPDX-License-Identifier: MIT */
/*
 * pci_function.c - what each PCI function is made of: BARs that may be mapped, requester id,
 * faults.
 *
 * Invariant: a BAR is open only if it is page-sized, alone at its addresses, and not where the
 * machine's own devices or memory are; the pages of the MSI-X table and its pending bits never
 * are.
 */
#include "dev/pci_function.h"

#include "dev/acpi.h"
#include "dev/iommu.h"
#include "frame.h"
#include "kernel.h"

enum {
	CLASS_BRIDGE = 0x06,
	CLASS_SYSTEM = 0x08,
	SYSTEM_SD_HOST = 0x0805,
	PCI_CAP_POWER = 0x01,
	PCI_CAP_EXPRESS = 0x10,
	EXPRESS_ROOT_PORT = 4,
	EXPRESS_TO_PCI = 7,
	EXPRESS_FLR = 1 << 28,          /* of device capabilities, at + 4 */
	POWER_NO_RESET = 1 << 3,        /* of control and status, at + 4 */
	BRIDGES_MAX = 8,                /* one behind the other */
	FAULTS_TOLD = 64,               /* reported for one domain, then no more */
};
#define BUS_BYTES (1ul << 20)

static struct pci_function *functions;

struct pci_function *pci_function_at(uint32_t index)
{
	return &functions[index];
}

/* The bridge to a bus; NULL: it is a root bus. */
static const struct exo_pci_info *bridge_to(uint32_t segment, uint32_t bus)
{
	for (uint32_t i = 0; i < pci.count; i++) {
		const struct exo_pci_info *b = &pci.info[i];

		if (b->class_code >> 8 == 0x0604 && b->where >> 16 == segment &&
		    (pci_read(b->where, PCI_BUSES) >> 8 & 0xff) == bus)
			return b;
	}
	return NULL;
}

uint32_t pci_requester(uint32_t where, bool *alone)
{
	const struct exo_pci_info *b;
	uint32_t id = where, at = where;
	bool own = true;

	for (unsigned i = 0; i < BRIDGES_MAX; i++) {
		unsigned cap, type;

		b = bridge_to(at >> 16, at >> 8 & 0xff);
		if (!b)
			break;
		cap = pci_capability(b->where, PCI_CAP_EXPRESS, 0);
		type = cap ? pci_read(b->where, cap) >> 20 & 0xf : 0;
		own = own && type == EXPRESS_ROOT_PORT;
		if (!cap)
			id = b->where;
		else if (type == EXPRESS_TO_PCI)
			id = at & ~0xffu;
		at = b->where;
	}
	if (alone)
		*alone = own;
	return id;
}

static bool overlaps(uint64_t pa, uint64_t bytes, const struct exo_pci_bar *bar)
{
	return bytes && pa < bar->pa + bar->bytes && bar->pa < pa + bytes;
}

/* Does anything of the machine's own stand there? */
static bool is_machines(const struct exo_pci_bar *bar)
{
	if (overlaps(acpi.lapic_pa, 1 << 20, bar) || overlaps(0, 1 << 20, bar) ||
	    overlaps(0xfee00000, 1 << 20, bar) || overlaps(0xfed00000, 1 << 20, bar))
		return true;
	for (uint32_t i = 0; i < acpi.ioapics; i++)
		if (overlaps(acpi.ioapic[i].pa, EXO_PAGE_SIZE, bar))
			return true;
	for (uint32_t i = 0; i < acpi.segments; i++) {
		const struct acpi_segment *s = &acpi.segment[i];

		if (overlaps(s->pa + s->bus_lo * BUS_BYTES,
		             (s->bus_hi - s->bus_lo + 1) * BUS_BYTES, bar))
			return true;
	}
	for (uint32_t i = 0; i < boot_info->ranges; i++) {
		const struct exo_boot_range *r =
			(struct exo_boot_range *)phys_to_virt(boot_info->ranges_pa) + i;

		if (overlaps(r->lo << EXO_PAGE_SHIFT, (r->hi - r->lo) << EXO_PAGE_SHIFT, bar))
			return true;
	}
	return overlaps(boot_info->screen_base, boot_info->screen_bytes, bar);
}

static void bars_find(struct exo_pci_info *info)
{
	struct pci_bar bar;

	for (unsigned i = 0; i < 6; i++) {
		bool wide = (pci_read(info->where, PCI_BAR0 + 4 * i) & 7) == 4;

		if (pci_bar(info->where, i, &bar))
			info->bar[i] = (struct exo_pci_bar){ bar.pa, bar.bytes };
		i += wide;
	}
}

static bool bars_meet(const struct exo_pci_bar *a, const struct exo_pci_bar *b)
{
	return a != b && overlaps(a->pa, a->bytes, b);
}

/* Drop what must not be mapped; after all BARs are known. */
static void bars_close(struct exo_pci_info *info)
{
	for (unsigned i = 0; i < 6; i++) {
		struct exo_pci_bar *bar = &info->bar[i];
		bool bad = bar->bytes < EXO_PAGE_SIZE || is_machines(bar);

		for (uint32_t n = 0; n < pci.count && !bad; n++)
			for (unsigned k = 0; k < 6; k++)
				bad |= bars_meet(&pci.info[n].bar[k], bar);
		if (bad)
			bar->bytes = 0;
	}
}

bool pci_function_given(const struct pci_function *f)
{
	const struct exo_pci_info *info = f->info;
	uint32_t class = info->class_code >> 16;

	if (info->used || class == CLASS_BRIDGE)
		return false;
	/* Interrupt and DMA controllers, timers, IOMMUs: whoever has them has the machine. */
	if (class == CLASS_SYSTEM && info->class_code >> 8 != SYSTEM_SD_HOST)
		return false;
	for (unsigned i = 0; i < 6 && boot_info->screen_base; i++)
		if (overlaps(boot_info->screen_base, boot_info->screen_bytes, &info->bar[i]))
			return false;
	return true;
}

/* The pages of [off, off + bytes) of a BAR. */
static struct pci_pages pages_of(const struct exo_pci_bar *bar, uint64_t off, uint64_t bytes)
{
	return (struct pci_pages){
		(bar->pa + off) >> EXO_PAGE_SHIFT,
		round_up(bar->pa + off + bytes, EXO_PAGE_SIZE) >> EXO_PAGE_SHIFT };
}

/* MSI-X (PCI 3.0, 6.8.2): where table and pending bits are.  One that cannot be reached is none. */
static void msix_find(struct pci_function *f)
{
	struct exo_pci_info *info = f->info;
	unsigned cap = pci_capability(info->where, PCI_CAP_MSIX, 0);
	uint32_t table, pending, entries;

	if (!cap)
		return;
	entries = (pci_read(info->where, cap) >> 16 & 0x7ff) + 1;
	table = pci_read(info->where, cap + 4);
	pending = pci_read(info->where, cap + 8);
	for (unsigned i = 0; i < 6; i++) {
		if (i == (table & 7))
			f->hidden[0] = pages_of(&info->bar[i], table & ~7u, entries * 16);
		if (i == (pending & 7))
			f->hidden[1] = pages_of(&info->bar[i], pending & ~7u,
						(entries + 63) / 64 * 8);
	}
	info->table_bar = table & 7;
	info->table_page = table >> EXO_PAGE_SHIFT;
	info->table_pages = (uint16_t)(f->hidden[0].hi - f->hidden[0].lo);
	if (!pci_function_given(f) || !msix_start(info->where, &f->msix))
		return;
	pci_write(info->where, cap, pci_read(info->where, cap) & ~(1u << 31));
	info->vectors = f->msix.entries;
}

static void resets_find(struct pci_function *f)
{
	struct exo_pci_info *info = f->info;
	unsigned cap = pci_capability(info->where, PCI_CAP_EXPRESS, 0);

	if (cap && (pci_read(info->where, cap + 4) & EXPRESS_FLR)) {
		f->flr = (uint16_t)cap;
		info->flags |= EXO_PCI_RESET_FLR;
		return;
	}
	cap = pci_capability(info->where, PCI_CAP_POWER, 0);
	if (cap && !(pci_read(info->where, cap + 4) & POWER_NO_RESET)) {
		f->power = (uint16_t)cap;
		info->flags |= EXO_PCI_RESET_PM;
	}
}

static void function_start(struct pci_function *f, struct exo_pci_info *info)
{
	f->info = info;
	f->requester = pci_requester(info->where, &f->alone);
	for (unsigned i = 0; i < ARRAY_LEN(f->header); i++)
		f->header[i] = pci_read(info->where, 4 * i);
	if (info->used || info->class_code >> 16 == CLASS_BRIDGE)
		return;
	pci_command(info->where, PCI_COMMAND_NO_INTX, PCI_COMMAND_MASTER);
	bars_find(info);
	msix_find(f);
	resets_find(f);
}

static void flags_set(struct pci_function *f)
{
	if (!pci_function_given(f))
		return;
	bars_close(f->info);
	if (iommu_covers(f))
		f->info->flags |= EXO_PCI_DMA | EXO_PCI_IRQ_SAFE;
	else if (boot_word("dma=unsafe"))
		f->info->flags |= EXO_PCI_UNSAFE;
}

/* What the firmware did with devices ends here; all of them at the same time. */
static void functions_reset(void)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < pci.count; i++)
		if (pci_function_given(&functions[i]))
			left += pci_reset_step(&functions[i]) != 0;
	while (left)
		for (uint32_t i = 0; i < pci.count; i++)
			if (functions[i].step != PCI_RESET_NONE)
				left -= pci_reset_step(&functions[i]) == 0;
}

void pci_functions_start(void)
{
	functions = boot_frames((pci.count * sizeof(*functions) + EXO_PAGE_SIZE - 1) /
	                        EXO_PAGE_SIZE);
	for (uint32_t i = 0; i < pci.count; i++)
		function_start(&functions[i], &pci.info[i]);
	iommu_guard();
	for (uint32_t i = 0; i < pci.count; i++)
		flags_set(&functions[i]);
	functions_reset();
	if (!iommu_present())
		machine_notice(boot_word("dma=unsafe")
		               ? "no IOMMU, and dma=unsafe: holders of PCI claims reach all memory"
		               : "no IOMMU: no DMA by PCI claims (dma=unsafe allows it)");
}

void pci_functions_stop(void)
{
	for (uint32_t i = 0; functions && i < pci.count; i++)
		if (pci_function_given(&functions[i]))
			pci_command(pci.info[i].where, 0, PCI_COMMAND_MASTER);
}

bool pci_page_is_open(const struct pci_function *f, uint64_t pfn)
{
	bool inside = false;

	for (unsigned i = 0; i < 6; i++) {
		const struct exo_pci_bar *bar = &f->info->bar[i];

		inside |= bar->bytes && pfn >= bar->pa >> EXO_PAGE_SHIFT &&
		          pfn < (bar->pa + bar->bytes) >> EXO_PAGE_SHIFT;
	}
	for (unsigned i = 0; i < PCI_HIDDEN; i++)
		if (pfn >= f->hidden[i].lo && pfn < f->hidden[i].hi)
			return false;
	return inside && frame_use(pfn) == EXO_USE_NONE;
}

/* A device may do wrong as often as it likes, so after some times nobody listens any more. */
void pci_fault(uint32_t requester, uint64_t iova, uint32_t fault)
{
	for (uint32_t i = 0; functions && i < pci.count; i++) {
		struct pci_function *f = &functions[i];

		if (f->requester != requester)
			continue;
		lock_take(&f->lock);
		f->info->faults++;
		f->info->fault_iova = iova;
		f->info->fault = fault;
		f->info->fault_holder = f->info->holder;
		if (f->env)
			event_post(f->env, f->entry);
		if (++f->told == FAULTS_TOLD)
			iommu_hush(f);
		lock_release(&f->lock);
		return;
	}
}
