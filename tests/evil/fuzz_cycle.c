/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cycle.c - the warden revokes a claim of each kind while it is in use.
 *
 * Each step puts a claim of one kind to use (bound, mapped, linked, running) and then revokes it
 * from above.  Invariant: after that its name is stale; if not, the fuzzer fails.
 */
#include <base/util.h>
#include "fuzz.h"
#include "guest/prog.h"

static exo_slot made(int64_t result)
{
	if (result <= 0)
		fuzz_wrong("the warden's own call was refused");
	return result > 0 ? (exo_slot)result : 0;
}

static int64_t map(struct actor *w, enum exo_map_op_code code, exo_slot claim, uint64_t va,
		   uint64_t pfn)
{
	struct exo_map_op op = { .slot = claim, .va = va, .pfn = pfn, .pages = 1,
				 .op = (uint16_t)code, .prot = EXO_R_READ };

	return fuzz_map(w, w->group->warden.space, &op);
}

static const struct exo_cap *has(const struct actor *w, enum fuzz_slot index)
{
	return &w->peer.slots[index];
}

/* The whole of a claim, with fewer rights, as one to be revoked under. */
static exo_slot copy(struct actor *w, exo_slot from, uint64_t rights)
{
	const struct exo_cap *c = &w->peer.slots[exo_slot_sid(from) - w->peer.sid];
	bool range = c->kind == EXO_KIND_SLOT || c->kind == EXO_KIND_BLOCK ||
		     c->kind == EXO_KIND_PORT;

	return fuzz_narrow(w, from, range ? c->lo : 0, range ? c->hi : 0, rights & c->rights);
}

/* It was in use; what stands above it is revoked. */
static void revoked(struct actor *w, enum exo_kind kind, exo_slot used, exo_slot above)
{
	if (!used || !above)
		return;
	if (fuzz_end(w, EXO_CALL_cap_revoke, above))
		fuzz_wrong("revoking from above was refused");
	if (fuzz_call(w, EXO_CALL_cap_revoke, used, 0, 0, 0, 0) != -EXO_E_STALE)
		fuzz_wrong("a revoked claim still has a name");
	w->group->revoked[kind]++;
}

static void must_be(int64_t result, int64_t expected)
{
	if (result != expected)
		fuzz_wrong("the warden put a claim to use and was refused");
}

static void cycle_memory(struct actor *w)
{
	const struct fuzz_warden *o = &w->group->warden;
	uint64_t pfn = w->group->arena.lo + OWN_CYCLE;
	exo_slot frame = fuzz_narrow(w, o->part, pfn, pfn + 4, GUEST_RW), table;

	must_be(map(w, EXO_MAP, frame, 0x1000, pfn + 1), 1);
	revoked(w, EXO_KIND_FRAME, frame, o->part);
	table = fuzz_object(w, o->part, OWN_CYCLE, EXO_KIND_PT, 1);
	must_be(map(w, EXO_LINK, table, 0x200000, 0), 1);
	revoked(w, EXO_KIND_PT, table, o->part);
	table = fuzz_object(w, o->part, OWN_CYCLE, EXO_KIND_TABLE, o->env);
	must_be(fuzz_call(w, EXO_CALL_cap_give, fuzz_name(w, HAS_TRACE), o->env,
			  pfn * EXO_SLOTS_PER_FRAME + 5, EXO_R_READ, 0) > 0, 1);
	revoked(w, EXO_KIND_TABLE, table, o->part);
}

static void cycle_env(struct actor *w)
{
	const struct fuzz_warden *o = &w->group->warden;
	exo_slot in = fuzz_object(w, o->part, OWN_CYCLE, EXO_KIND_SPACE, 0);
	exo_slot runs = fuzz_object(w, o->part, OWN_CYCLE + 4, EXO_KIND_ENV, 0), gate, bell;

	must_be(fuzz_call(w, EXO_CALL_env_control, runs, EXO_ENV_SPACE, in, 0, 0), 0);
	must_be(fuzz_call(w, EXO_CALL_env_control, runs, EXO_ENV_START, 0x400000, 0, 0), 0);
	must_be(fuzz_call(w, EXO_CALL_slot_set, o->time_part, has(w, HAS_SLOT)->lo, runs, 0, 0),
		0);
	bell = made(fuzz_call(w, EXO_CALL_doorbell, runs, fuzz_empty(w), 7, EXO_R_NOTIFY, 0));
	must_be(fuzz_call(w, EXO_CALL_env_notify, bell, 0, 0, 0, 0), 0);
	gate = made(fuzz_call(w, EXO_CALL_gate_make, runs, fuzz_empty(w), 0x400000, 3, 0));
	revoked(w, EXO_KIND_GATE, gate, runs);
	revoked(w, EXO_KIND_ENV, runs, o->part);
	in = fuzz_object(w, o->part, OWN_CYCLE, EXO_KIND_SPACE, 0);
	must_be(fuzz_call(w, EXO_CALL_env_control, o->env, EXO_ENV_SPACE, in, 0, 0), 0);
	revoked(w, EXO_KIND_SPACE, in, o->part);
}

static void cycle_time(struct actor *w)
{
	const struct fuzz_warden *o = &w->group->warden;
	exo_slot slots = copy(w, o->time_part, EXO_R_CONTROL);

	must_be(fuzz_call(w, EXO_CALL_slot_set, slots, has(w, HAS_SLOT)->lo + 1, o->env, 0, 0),
		0);
	revoked(w, EXO_KIND_SLOT, slots, o->time_part);
}

static void cycle_port(struct actor *w)
{
	struct exo_port_op in = { .port = (uint16_t)has(w, HAS_PORT)->lo, .size = 1 };
	exo_slot claim = copy(w, fuzz_name(w, HAS_PORT), EXO_R_CONTROL);

	must_be(fuzz_call(w, EXO_CALL_port_io, claim, (uint64_t)&in, 1, 0, 0), 1);
	revoked(w, EXO_KIND_PORT, claim, fuzz_name(w, HAS_PORT));
}

static void cycle_irq(struct actor *w)
{
	exo_slot claim = copy(w, fuzz_name(w, HAS_IRQ), EXO_R_CONTROL);

	must_be(fuzz_call(w, EXO_CALL_irq_bind, claim, 200, 0, 0, 0), 0);
	revoked(w, EXO_KIND_IRQ, claim, fuzz_name(w, HAS_IRQ));
}

/* Its registers mapped; where there is an IOMMU, in a domain as well. */
static void cycle_pci(struct actor *w)
{
	const struct fuzz_warden *o = &w->group->warden;
	const struct exo_pci_info *f = evil_function(w->group->given[HAS_PCI]);
	exo_slot claim = copy(w, fuzz_name(w, HAS_PCI), EXO_R_CONTROL | EXO_R_MAP), domain = 0;

	must_be(fuzz_call(w, EXO_CALL_pci_config, claim, 4, 2 | EXO_PCI_WRITE,
			  EXO_PCI_COMMAND_MEMORY, 0), 0);
	must_be(map(w, EXO_MAP, claim, 0x3000, f->bar[0].pa >> EXO_PAGE_SHIFT), 1);
	if (f->flags & EXO_PCI_DMA) {
		domain = fuzz_object(w, o->part, OWN_CYCLE, EXO_KIND_SPACE, EXO_SPACE_DEVICE);
		must_be(fuzz_call(w, EXO_CALL_pci_bind, claim, domain, 0, 0, 0), 0);
	}
	revoked(w, EXO_KIND_PCI, claim, fuzz_name(w, HAS_PCI));
	if (domain)
		fuzz_end(w, EXO_CALL_cap_drop, domain);
}

/* Only one group has these: it does it for all. */
static void cycle_device(struct actor *w)
{
	for (unsigned n = 0; n < max_u64(1, fuzz.ordered); n++) {
		if (has(w, HAS_PORT)->kind == EXO_KIND_PORT)
			cycle_port(w);
		if (has(w, HAS_IRQ)->kind == EXO_KIND_IRQ)
			cycle_irq(w);
		if (has(w, HAS_PCI)->kind == EXO_KIND_PCI)
			cycle_pci(w);
	}
}

static void cycle_trace(struct actor *w)
{
	uint64_t pfn = w->group->arena.lo + OWN_TABLE;
	exo_slot claim = copy(w, fuzz_name(w, HAS_TRACE), EXO_R_READ);

	must_be(map(w, EXO_MAP, claim, 0x2000, pfn), 1);
	revoked(w, EXO_KIND_TRACE, claim, fuzz_name(w, HAS_TRACE));
}

static void cycle_disk(struct actor *w)
{
	const struct fuzz_warden *o = &w->group->warden;
	exo_slot ring = fuzz_object(w, o->part, OWN_CYCLE, EXO_KIND_RING, 0), blocks;

	blocks = copy(w, o->block_part, GUEST_RW);
	must_be(fuzz_call(w, EXO_CALL_disk_bind, ring, blocks, 200, 0, 0), 0);
	must_be(fuzz_call(w, EXO_CALL_disk_kick, ring, 0, 0, 0, 0), 0);
	revoked(w, EXO_KIND_BLOCK, blocks, o->block_part);
	blocks = copy(w, o->block_part, GUEST_RW);
	must_be(fuzz_call(w, EXO_CALL_disk_bind, ring, blocks, 200, 0, 0), 0);
	revoked(w, EXO_KIND_RING, ring, o->part);
	fuzz_end(w, EXO_CALL_cap_drop, blocks);
}

static void cycle_nic(struct actor *w)
{
	const struct fuzz_warden *o = &w->group->warden;
	exo_slot filter = fuzz_object(w, o->part, OWN_CYCLE, EXO_KIND_FILTER, 0), nic, packets;

	packets = fuzz_object(w, o->part, OWN_CYCLE + 1, EXO_KIND_PACKETS, 1);
	nic = fuzz_nic_part(w, filter, 0);
	must_be(fuzz_call(w, EXO_CALL_nic_bind, packets, nic, 200, 0, 0), 0);
	must_be(fuzz_call(w, EXO_CALL_nic_kick, packets, 0, 0, 0, 0), 0);
	revoked(w, EXO_KIND_NIC, nic, fuzz_name(w, HAS_NIC));
	nic = fuzz_nic_part(w, filter, 0);
	must_be(fuzz_call(w, EXO_CALL_nic_bind, packets, nic, 200, 0, 0), 0);
	revoked(w, EXO_KIND_PACKETS, packets, o->part);
	filter = fuzz_object(w, o->part, OWN_CYCLE, EXO_KIND_FILTER, 0);
	nic = fuzz_nic_part(w, filter, 0);
	revoked(w, EXO_KIND_FILTER, filter, o->part);
}

/* A program that wakes an environment, and a VCPU that ran in a guest's space. */
static void cycle_newer(struct actor *w)
{
	const struct fuzz_warden *o = &w->group->warden;
	static const struct exo_insn insn[] = { I_MOV(0, 0), I_EXIT };
	exo_slot prog = fuzz_object(w, o->part, OWN_CYCLE, EXO_KIND_PROG, ARRAY_LEN(insn));
	exo_slot guest, vcpu;
	int64_t n;

	do
		n = fuzz_call(w, EXO_CALL_prog_load, prog, (uint64_t)insn, ARRAY_LEN(insn), 0, 0);
	while (n == EXO_MORE);
	must_be(n, 0);
	must_be(fuzz_call(w, EXO_CALL_env_control, o->env, EXO_ENV_PREDICATE, prog, 0, 0), 0);
	revoked(w, EXO_KIND_PROG, prog, o->part);
	if (!fuzz.vcpus)
		return;
	guest = fuzz_object(w, o->part, OWN_CYCLE, EXO_KIND_SPACE, EXO_SPACE_GUEST);
	vcpu = fuzz_object(w, o->part, OWN_CYCLE + EXO_FRAMES_PT, EXO_KIND_VCPU, 0);
	must_be(fuzz_call(w, EXO_CALL_vcpu_bind, vcpu, guest, 0, 0, 0), 0);
	must_be(fuzz_call(w, EXO_CALL_vcpu_run, vcpu, w->peer.page->event_head, 0, 0, 0) >= 0, 1);
	revoked(w, EXO_KIND_VCPU, vcpu, o->part);
}

void fuzz_cycle(struct actor *w)
{
	cycle_memory(w);
	cycle_env(w);
	cycle_time(w);
	cycle_device(w);
	cycle_trace(w);
	cycle_newer(w);
	if (has(w, HAS_BLOCK)->kind == EXO_KIND_BLOCK)
		cycle_disk(w);
	if (has(w, HAS_NIC)->kind == EXO_KIND_NIC)
		cycle_nic(w);
	w->group->warden.cycles++;
}
