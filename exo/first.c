/* SPDX-License-Identifier: MIT */
/*
 * first.c - the first program: its environment, its space, and root claims for everything.
 *
 * It is made by the same functions that serve calls, as if it had made itself; afterwards the
 * kernel holds nothing but what it keeps.
 */
#include "first.h"

#include <exo/space.h>

#include "claim.h"
#include "cpu.h"
#include "dev/disk.h"
#include "dev/nic.h"
#include "dev/pci_function.h"
#include "dev/irq.h"
#include "kernel.h"
#include "memory.h"
#include "dev/nic_claim.h"
#include "x86/port.h"
#include "retype.h"
#include "run.h"
#include "slices.h"
#include "space.h"
#include "table.h"
#include "frame.h"

/* Where its pages are mapped, in the last 2 MiB of the first GiB. */
#define FIRST_VA  0x3fe00000ul
#define PAGE_VA   FIRST_VA
#define EXPORT_VA (FIRST_VA + EXO_PAGE_SIZE)
#define TABLE_VA  (FIRST_VA + 2 * EXO_PAGE_SIZE)

#define TABLE_FRAMES_MAX 64
#define SPARE_FRAMES 1          /* table frames left empty for the program to begin with */

static struct env *first;
static uint64_t table_pfn, table_frames;
static uint64_t next_sid;
static exo_sid export_sid, image_sid[EXO_BOOT_SEGS];
static struct exo_run *runs;

/* The first slot of each table frame is its own node. */
static struct exo_cap *slot_next(void)
{
	struct exo_cap *c;

	if (next_sid % EXO_SLOTS_PER_FRAME == 0)
		next_sid++;
	c = slot_at(next_sid++);
	if (next_sid / EXO_SLOTS_PER_FRAME >= table_pfn + table_frames)
		panic("the first program's table is too small");
	return c;
}

static exo_sid root(struct claim_spec spec)
{
	struct exo_cap *c = slot_next();

	claim_root(c, &spec);
	return slot_sid(c);
}

static exo_sid object(uint64_t pfn, enum exo_kind kind, uint64_t arg)
{
	struct exo_cap *c = slot_next();

	retype_root(c, pfn, kind, arg);
	return slot_sid(c);
}

static uint64_t frames_take(uint64_t count)
{
	return virt_to_phys(boot_frames(count)) / EXO_PAGE_SIZE;
}

/* What the first program will find in the export area: counted before, filled now. */
static uint64_t roots_count(void)
{
	return 48 + machine->runs + cpu_count + disks.count + nics.count + irqs.count +
	       ports.count + pci.count;
}

static void run_count(uint64_t lo, uint64_t hi, enum exo_run_kind kind)
{
	(void)lo, (void)hi, (void)kind;
	machine->runs++;
}

static void run_add(uint64_t lo, uint64_t hi, enum exo_run_kind kind)
{
	static const unsigned rights[] = {
		[EXO_RUN_RAM] = EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_R_RETYPE,
		[EXO_RUN_ARCHIVE] = EXO_R_READ | EXO_R_EXEC, [EXO_RUN_ACPI] = EXO_R_READ,
		[EXO_RUN_DEVICE] = EXO_R_READ | EXO_R_WRITE, [EXO_RUN_EXPORT] = EXO_R_READ,
		[EXO_RUN_KERNEL] = 0,
	};
	struct exo_run *r = &runs[machine->runs++];

	*r = (struct exo_run){ lo, hi, kind, 0 };
	if (kind == EXO_RUN_KERNEL)
		return;
	r->root = root((struct claim_spec){
		.kind = EXO_KIND_FRAME, .lo = lo, .hi = hi, .rights = rights[kind],
		.share = kind != EXO_RUN_RAM && kind != EXO_RUN_DEVICE });
	if (kind == EXO_RUN_EXPORT)
		export_sid = r->root;
	if (kind != EXO_RUN_RAM)
		return;
	machine->free_frames += hi - lo;
	for (uint32_t i = 0; i < boot_info->init_segs; i++)
		if (boot_info->init_seg[i].pa / EXO_PAGE_SIZE >= lo &&
		    boot_info->init_seg[i].pa / EXO_PAGE_SIZE < hi)
			image_sid[i] = r->root;
}

static void devices_give(void)
{
	for (uint32_t i = 0; i < irqs.count; i++)
		irqs.info[i].root = root((struct claim_spec){
			.kind = EXO_KIND_IRQ, .lo = irqs.info[i].gsi, .hi = irqs.info[i].gsi + 1,
			.rights = EXO_R_CONTROL });
	for (uint32_t i = 0; i < ports.count; i++)
		ports.info[i].root = root((struct claim_spec){
			.kind = EXO_KIND_PORT, .lo = ports.info[i].lo,
			.hi = ports.info[i].lo + ports.info[i].count, .rights = EXO_R_CONTROL });
	for (uint32_t i = 0; i < disks.count; i++)
		disks.info[i].root = root((struct claim_spec){
			.kind = EXO_KIND_BLOCK, .unit = i, .hi = disks.info[i].blocks,
			.rights = EXO_R_READ |
				  (disks.info[i].flags & EXO_DISK_RO ? 0 : EXO_R_WRITE) });
	for (uint32_t i = 0; i < nics.count; i++) {
		nics.info[i].root = root((struct claim_spec){
			.kind = EXO_KIND_NIC, .unit = i, .lo = nics.nic[i].filter,
			.rights = EXO_R_READ | EXO_R_WRITE });
		nic_root(slot_at(nics.info[i].root));
	}
	for (uint32_t i = 0; i < pci.count; i++)
		if (pci_function_given(pci_function_at(i)))
			pci.info[i].root = root((struct claim_spec){
				.kind = EXO_KIND_PCI, .unit = i, .lo = pci.info[i].where,
				.hi = pci.info[i].where + 1ul,
				.rights = EXO_R_MAP | EXO_R_CONTROL });
	machine->trace_root = root((struct claim_spec){
		.kind = EXO_KIND_TRACE, .rights = EXO_R_READ });
}

static void slices_give(void)
{
	struct exo_cpu_info *info = (void *)((char *)machine + machine->cpus_off);

	for (unsigned i = 0; i < cpu_count; i++) {
		info[i].apic_id = cpus[i]->apic_id;
		info[i].root = root((struct claim_spec){
			.kind = EXO_KIND_SLOT, .unit = i, .hi = EXO_VECTOR_SLOTS,
			.rights = EXO_R_CONTROL });
	}
	for (unsigned s = 0; s < EXO_VECTOR_SLOTS; s++)
		slices_set(slot_at(info[0].root), s, first);
}

static void apply(const struct exo_map_op *op)
{
	int err = space_apply(first, first->space, op, true);

	if (err)
		panic("the first program cannot be mapped at 0x%lx: error %d", op->va, -err);
}

static void link_tables(uint64_t va)
{
	bool big;

	for (unsigned level = 3; level >= 1; level--)
		if (!table_walk(first->space, va, level, &big)) {
			exo_sid sid = object(frames_take(EXO_FRAMES_PT), EXO_KIND_PT, level);

			apply(&(struct exo_map_op){
				.slot = slot_name(slot_at(sid)), .va = va, .op = EXO_LINK });
		}
}

static void map(exo_sid sid, uint64_t va, uint64_t pfn, uint64_t pages, unsigned prot)
{
	apply(&(struct exo_map_op){
		.slot = slot_name(slot_at(sid)), .va = va, .pfn = pfn, .pages = pages,
		.op = EXO_MAP, .prot = prot });
}

/* Page tables come from kept memory, so they are made before memory is given out. */
static void space_make(void)
{
	machine->space_root = object(frames_take(EXO_FRAMES_PT), EXO_KIND_SPACE, 0);
	first->space = slot_at(machine->space_root)->lo;
	first->page->space_pfn = first->space;
	for (uint32_t i = 0; i < boot_info->init_segs; i++) {
		const struct exo_boot_seg *s = &boot_info->init_seg[i];

		for (uint64_t va = s->va; va < s->va + s->pages * EXO_PAGE_SIZE; va += 1ul << 21)
			link_tables(va);
		link_tables(s->va + (s->pages - 1) * EXO_PAGE_SIZE);
	}
	link_tables(FIRST_VA);
}

static void space_fill(void)
{
	for (uint32_t i = 0; i < boot_info->init_segs; i++) {
		const struct exo_boot_seg *s = &boot_info->init_seg[i];

		map(image_sid[i], s->va, s->pa / EXO_PAGE_SIZE, s->pages, s->rights);
	}
	map(machine->env_root, PAGE_VA, first->pfn + 1, 1, EXO_R_READ | EXO_R_WRITE);
	map(export_sid, EXPORT_VA, machine->export_pfn, 1, EXO_R_READ);
	for (uint64_t i = 0; i < table_frames; i++)
		map((table_pfn + i) * EXO_SLOTS_PER_FRAME, TABLE_VA + i * EXO_PAGE_SIZE,
		    table_pfn + i, 1, EXO_R_READ);
}

static void tables_make(void)
{
	table_frames =
		min_u64(roots_count() / EXO_SLOTS_PER_FRAME + 1 + SPARE_FRAMES, TABLE_FRAMES_MAX);
	table_pfn = frames_take(table_frames);
	for (uint64_t i = 0; i < table_frames; i++)
		retype_first_table(table_pfn + i);
	next_sid = table_pfn * EXO_SLOTS_PER_FRAME + 1;
	machine->table_root = table_pfn * EXO_SLOTS_PER_FRAME;
}

static void hello(uint64_t used_lo, uint64_t used_hi)
{
	struct exo_first *f = (void *)first->page->user;

	*f = (struct exo_first){
		.magic = EXO_FIRST_MAGIC, .page_va = PAGE_VA, .table_va = TABLE_VA,
		.table_frames = table_frames, .export_va = EXPORT_VA,
		.export_root = export_sid, .used_lo = used_lo, .used_hi = used_hi,
	};
	f->free_sid = slot_sid(slot_next());
	f->image_lo = boot_info->init_seg[0].va;
	for (uint32_t i = 0; i < boot_info->init_segs; i++) {
		const struct exo_boot_seg *s = &boot_info->init_seg[i];

		f->image_lo = min_u64(f->image_lo, s->va);
		f->image_hi = max_u64(f->image_hi, s->va + s->pages * EXO_PAGE_SIZE);
	}
}

void first_make(void)
{
	uint64_t env_pfn = frames_take(EXO_FRAMES_ENV), used_hi = env_pfn + EXO_FRAMES_ENV;

	first = env_at(env_pfn);
	memory_runs(run_count);
	machine->runs += 2;
	runs = boot_export(machine->runs * sizeof(*runs));
	machine->runs_off = export_offset(runs);
	tables_make();
	machine->env_root = object(env_pfn, EXO_KIND_ENV, 0);
	for (uint64_t i = 0; i < table_frames; i++)
		frame_entry(table_pfn + i)->object = first->id;
	space_make();

	memory_settle();
	machine->runs = 0;
	memory_runs(run_add);
	slices_give();
	devices_give();
	space_fill();
	hello(table_pfn, used_hi);
	first->start_rip = boot_info->init_entry;
	first->start_rdi = PAGE_VA;
	first->page->upcalls_off = 1;
	first->page->stop_reason = EXO_STOP_RUNS;
	first->state = ENV_READY;
}
