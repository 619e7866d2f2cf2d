/* SPDX-License-Identifier: MIT */
/*
 * first.c - the grants of the first program, from the root claims that the kernel lists.
 *
 * Linked into every program, used by one.  Not a policy: who gets what of this is init's.
 */
#include "core.h"

#include <base/string.h>
#include <exo/machine.h>
#include <exos/cap.h>
#include <exos/space.h>

struct grant_visit {
	exos_grant_visitor *visit;
	void *context;
};

/* Show the claim in slot `sid`, if there is one. */
static void list_add(struct grant_visit *list, const char *name, exo_sid sid)
{
	const struct exo_cap *cap = sid ? exos_cap_at(sid) : NULL;
	struct exos_grant g = { .slot = 0 };

	if (!cap || cap->kind == EXO_KIND_NONE)
		return;
	string_copy(g.name, name, sizeof(g.name));
	g.slot = exo_slot_make(sid, cap->gen);
	g.lo = cap->lo;
	g.hi = cap->hi;
	g.kind = cap->kind;
	g.unit = cap->unit;
	list->visit(&g, list->context);
}

static void list_runs(struct grant_visit *list, const struct exo_machine *m)
{
	static const char *const name[] = {
		[EXO_RUN_RAM] = "memory",
		[EXO_RUN_ARCHIVE] = "archive",
		[EXO_RUN_ACPI] = "acpi",
		[EXO_RUN_DEVICE] = "device",
	};
	const struct exo_run *run = exos_machine_at(m->runs_off);

	for (uint32_t i = 0; i < m->runs; i++)
		if (run[i].kind < ARRAY_LEN(name) && name[run[i].kind])
			list_add(list, name[run[i].kind], run[i].root);
}

static void list_devices(struct grant_visit *list, const struct exo_machine *m)
{
	const struct exo_cpu_info *cpu = exos_machine_at(m->cpus_off);
	const struct exo_disk_info *disk = exos_machine_at(m->disks_off);
	const struct exo_nic_info *nic = exos_machine_at(m->nics_off);
	const struct exo_port_info *port = exos_machine_at(m->ports_off);
	const struct exo_irq_info *irq = exos_machine_at(m->irqs_off);
	const struct exo_pci_info *pci = exos_machine_at(m->pcis_off);

	for (uint32_t i = 0; i < m->cpus; i++)
		list_add(list, "slots", cpu[i].root);
	for (uint32_t i = 0; i < m->disks; i++)
		list_add(list, "disk", disk[i].root);
	for (uint32_t i = 0; i < m->nics; i++)
		list_add(list, "nic", nic[i].root);
	for (uint32_t i = 0; i < m->ports; i++) {
		bool uart = port[i].lo <= 0x3f8 && 0x3f8 < port[i].lo + port[i].count;

		list_add(list, uart ? "uart" : "port", port[i].root);
	}
	for (uint32_t i = 0; i < m->irqs; i++)
		list_add(list, "irq", irq[i].root);
	for (uint32_t i = 0; i < m->pcis; i++)
		list_add(list, "pci", pci[i].root);
}

void exos_memory_first(exos_grant_visitor *visit, void *context)
{
	const struct exo_first *first = exos_first();
	const struct exo_cap *cap = (const void *)first->table_va;
	struct grant_visit list = { visit, context };

	for (uint64_t i = 0; i < first->table_frames * EXO_SLOTS_PER_FRAME; i++) {
		uint64_t frame = exos_space_frame((uintptr_t)&cap[i]);

		/* Memory is what may be made into objects. */
		if (cap[i].kind == EXO_KIND_FRAME && cap[i].rights & EXO_R_RETYPE)
			list_add(&list, "memory", (exo_sid)(frame * EXO_SLOTS_PER_FRAME +
							    i % EXO_SLOTS_PER_FRAME));
	}
}

void exos_grant_first(exos_grant_visitor *visit, void *context)
{
	const struct exo_machine *m = exos_machine();
	struct grant_visit list = { visit, context };

	if (!m)
		return;
	list_add(&list, "env", m->env_root);
	list_add(&list, "space", m->space_root);
	list_add(&list, "table", m->table_root);
	list_add(&list, "export", exos_first()->export_root);
	list_add(&list, "trace", m->trace_root);
	list_runs(&list, m);
	list_devices(&list, m);
}
