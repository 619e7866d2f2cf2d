/* SPDX-License-Identifier: MIT */
/*
 * fuzz_revoke.c - the warden: gives pieces of what it holds, and takes them back while in use.
 *
 * Each step of a cycle puts a claim of one kind to use (bound, mapped, linked, running) and then
 * revokes it from above.  Invariant: after that its name is stale; if not, the fuzzer fails.
 * The warden's own frames are the first OWN of the arena; nobody else is given any of them.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include "fuzz.h"
#include "guest/prog.h"

#define OWN 64u                 /* frames */
#define PIECE 88u               /* frames of each other actor */

/* Frames of the warden's own, from the start of the arena. */
enum own {
	OWN_SPACE = 0, OWN_PT3 = 4, OWN_PT2 = 8, OWN_PT1 = 12,  /* a space with room to map */
	OWN_ENV = 16, OWN_FILTER = 20, OWN_TABLE = 34,          /* FILTER: one an actor */
	OWN_CYCLE = 40,         /* what the cycle makes and revokes */
};

static exo_slot filters[FUZZ_ACTORS_MAX];
static exo_slot space, env, part, time_part, block_part;

static exo_slot made(int64_t result)
{
	if (result <= 0)
		fuzz_wrong("the warden's own call was refused");
	return result > 0 ? (exo_slot)result : 0;
}

static exo_slot narrow(struct actor *w, exo_slot from, uint64_t lo, uint64_t hi, uint64_t rights)
{
	return made(fuzz_call(w, EXO_CALL_cap_narrow, from, fuzz_empty(w), lo, hi, rights));
}

static exo_slot object(struct actor *w, exo_slot from, uint64_t at, enum exo_kind kind,
		       uint64_t arg)
{
	return made(fuzz_call(w, EXO_CALL_retype, from, fuzz_empty(w), fuzz.arena_lo + at, kind,
			      arg));
}

static int64_t map(struct actor *w, enum exo_map_op_code code, exo_slot claim, uint64_t va,
		   uint64_t pfn)
{
	struct exo_map_op op = { .slot = claim, .va = va, .pfn = pfn, .pages = 1,
				 .op = (uint16_t)code, .prot = EXO_R_READ };

	return fuzz_map(w, space, &op);
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

	return narrow(w, from, range ? c->lo : 0, range ? c->hi : 0, rights & c->rights);
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
	fuzz.revoked[kind]++;
}

static void must_be(int64_t result, int64_t expected)
{
	if (result != expected)
		fuzz_wrong("the warden put a claim to use and was refused");
}

static void cycle_memory(struct actor *w)
{
	uint64_t pfn = fuzz.arena_lo + OWN_CYCLE;
	exo_slot frame = narrow(w, part, pfn, pfn + 4, GUEST_RW), table;

	must_be(map(w, EXO_MAP, frame, 0x1000, pfn + 1), 1);
	revoked(w, EXO_KIND_FRAME, frame, part);
	table = object(w, part, OWN_CYCLE, EXO_KIND_PT, 1);
	must_be(map(w, EXO_LINK, table, 0x200000, 0), 1);
	revoked(w, EXO_KIND_PT, table, part);
	table = object(w, part, OWN_CYCLE, EXO_KIND_TABLE, env);
	must_be(fuzz_call(w, EXO_CALL_cap_give, fuzz_name(w, HAS_TRACE), env,
			  (fuzz.arena_lo + OWN_CYCLE) * EXO_SLOTS_PER_FRAME + 5, EXO_R_READ, 0) > 0,
		1);
	revoked(w, EXO_KIND_TABLE, table, part);
}

static void cycle_env(struct actor *w)
{
	exo_slot in = object(w, part, OWN_CYCLE, EXO_KIND_SPACE, 0);
	exo_slot runs = object(w, part, OWN_CYCLE + 4, EXO_KIND_ENV, 0), gate, bell;

	must_be(fuzz_call(w, EXO_CALL_env_control, runs, EXO_ENV_SPACE, in, 0, 0), 0);
	must_be(fuzz_call(w, EXO_CALL_env_control, runs, EXO_ENV_START, 0x400000, 0, 0), 0);
	must_be(fuzz_call(w, EXO_CALL_slot_set, time_part, has(w, HAS_SLOT)->lo, runs, 0, 0), 0);
	bell = made(fuzz_call(w, EXO_CALL_doorbell, runs, fuzz_empty(w), 7, EXO_R_NOTIFY, 0));
	must_be(fuzz_call(w, EXO_CALL_env_notify, bell, 0, 0, 0, 0), 0);
	gate = made(fuzz_call(w, EXO_CALL_gate_make, runs, fuzz_empty(w), 0x400000, 3, 0));
	revoked(w, EXO_KIND_GATE, gate, runs);
	revoked(w, EXO_KIND_ENV, runs, part);
	in = object(w, part, OWN_CYCLE, EXO_KIND_SPACE, 0);
	must_be(fuzz_call(w, EXO_CALL_env_control, env, EXO_ENV_SPACE, in, 0, 0), 0);
	revoked(w, EXO_KIND_SPACE, in, part);
}

static void cycle_time(struct actor *w)
{
	exo_slot slots = copy(w, time_part, EXO_R_CONTROL);

	must_be(fuzz_call(w, EXO_CALL_slot_set, slots, has(w, HAS_SLOT)->lo + 1, env, 0, 0), 0);
	revoked(w, EXO_KIND_SLOT, slots, time_part);
}

static void cycle_device(struct actor *w)
{
	struct exo_port_op in = { .port = (uint16_t)has(w, HAS_PORT)->lo, .size = 1 };
	exo_slot claim;

	if (has(w, HAS_PORT)->kind == EXO_KIND_PORT) {
		claim = copy(w, fuzz_name(w, HAS_PORT), EXO_R_CONTROL);
		must_be(fuzz_call(w, EXO_CALL_port_io, claim, (uint64_t)&in, 1, 0, 0), 1);
		revoked(w, EXO_KIND_PORT, claim, fuzz_name(w, HAS_PORT));
	}
	if (has(w, HAS_IRQ)->kind == EXO_KIND_IRQ) {
		claim = copy(w, fuzz_name(w, HAS_IRQ), EXO_R_CONTROL);
		must_be(fuzz_call(w, EXO_CALL_irq_bind, claim, 200, 0, 0, 0), 0);
		revoked(w, EXO_KIND_IRQ, claim, fuzz_name(w, HAS_IRQ));
	}
	claim = copy(w, fuzz_name(w, HAS_TRACE), EXO_R_READ);
	must_be(map(w, EXO_MAP, claim, 0x2000, fuzz.arena_lo + OWN_TABLE), 1);
	revoked(w, EXO_KIND_TRACE, claim, fuzz_name(w, HAS_TRACE));
}

static void cycle_disk(struct actor *w)
{
	exo_slot ring = object(w, part, OWN_CYCLE, EXO_KIND_RING, 0), blocks;

	blocks = copy(w, block_part, GUEST_RW);
	must_be(fuzz_call(w, EXO_CALL_disk_bind, ring, blocks, 200, 0, 0), 0);
	must_be(fuzz_call(w, EXO_CALL_disk_kick, ring, 0, 0, 0, 0), 0);
	revoked(w, EXO_KIND_BLOCK, blocks, block_part);
	blocks = copy(w, block_part, GUEST_RW);
	must_be(fuzz_call(w, EXO_CALL_disk_bind, ring, blocks, 200, 0, 0), 0);
	revoked(w, EXO_KIND_RING, ring, part);
	fuzz_end(w, EXO_CALL_cap_drop, blocks);
}

/* The packets whose byte 32 is `mark`. */
static exo_slot nic_part(struct actor *w, exo_slot filter, uint64_t mark)
{
	struct exo_nic_spec spec;

	memset(&spec, 0, sizeof(spec));
	spec.receive.mask[4] = spec.send.mask[4] = 0xff;
	spec.receive.value[4] = spec.send.value[4] = mark;
	return made(fuzz_call(w, EXO_CALL_nic_narrow, fuzz_name(w, HAS_NIC), fuzz_empty(w), filter,
			      (uint64_t)&spec, GUEST_RW));
}

static void cycle_nic(struct actor *w)
{
	exo_slot filter = object(w, part, OWN_CYCLE, EXO_KIND_FILTER, 0), nic, packets;

	packets = object(w, part, OWN_CYCLE + 1, EXO_KIND_PACKETS, 1);
	nic = nic_part(w, filter, 0);
	must_be(fuzz_call(w, EXO_CALL_nic_bind, packets, nic, 200, 0, 0), 0);
	must_be(fuzz_call(w, EXO_CALL_nic_kick, packets, 0, 0, 0, 0), 0);
	revoked(w, EXO_KIND_NIC, nic, fuzz_name(w, HAS_NIC));
	nic = nic_part(w, filter, 0);
	must_be(fuzz_call(w, EXO_CALL_nic_bind, packets, nic, 200, 0, 0), 0);
	revoked(w, EXO_KIND_PACKETS, packets, part);
	filter = object(w, part, OWN_CYCLE, EXO_KIND_FILTER, 0);
	nic = nic_part(w, filter, 0);
	revoked(w, EXO_KIND_FILTER, filter, part);
}

/* A program that wakes an environment, and a VCPU that ran in a guest's space. */
static void cycle_newer(struct actor *w)
{
	static const struct exo_insn insn[] = { I_MOV(0, 0), I_EXIT };
	exo_slot prog = object(w, part, OWN_CYCLE, EXO_KIND_PROG, ARRAY_LEN(insn)), guest, vcpu;
	int64_t n;

	do
		n = fuzz_call(w, EXO_CALL_prog_load, prog, (uint64_t)insn, ARRAY_LEN(insn), 0, 0);
	while (n == EXO_MORE);
	must_be(n, 0);
	must_be(fuzz_call(w, EXO_CALL_env_control, env, EXO_ENV_PREDICATE, prog, 0, 0), 0);
	revoked(w, EXO_KIND_PROG, prog, part);
	if (!fuzz.vcpus)
		return;
	guest = object(w, part, OWN_CYCLE, EXO_KIND_SPACE, EXO_SPACE_GUEST);
	vcpu = object(w, part, OWN_CYCLE + EXO_FRAMES_PT, EXO_KIND_VCPU, 0);
	must_be(fuzz_call(w, EXO_CALL_vcpu_bind, vcpu, guest, 0, 0, 0), 0);
	must_be(fuzz_call(w, EXO_CALL_vcpu_run, vcpu, w->peer.page->event_head, 0, 0, 0) >= 0, 1);
	revoked(w, EXO_KIND_VCPU, vcpu, part);
}

void fuzz_cycle(struct actor *w)
{

	cycle_memory(w);
	cycle_env(w);
	cycle_time(w);
	cycle_device(w);
	cycle_newer(w);
	if (has(w, HAS_BLOCK)->kind == EXO_KIND_BLOCK)
		cycle_disk(w);
	if (has(w, HAS_NIC)->kind == EXO_KIND_NIC)
		cycle_nic(w);
}

void fuzz_warden_start(struct actor *w)
{
	exo_slot root = fuzz_name(w, HAS_FRAME);

	space = object(w, root, OWN_SPACE, EXO_KIND_SPACE, 0);
	map(w, EXO_LINK, object(w, root, OWN_PT3, EXO_KIND_PT, 3), 0, 0);
	map(w, EXO_LINK, object(w, root, OWN_PT2, EXO_KIND_PT, 2), 0, 0);
	map(w, EXO_LINK, object(w, root, OWN_PT1, EXO_KIND_PT, 1), 0, 0);
	env = object(w, root, OWN_ENV, EXO_KIND_ENV, 0);
	object(w, root, OWN_TABLE, EXO_KIND_TABLE, env);
	part = narrow(w, root, fuzz.arena_lo + OWN_CYCLE, fuzz.arena_lo + OWN, GUEST_R_FRAMES);
	time_part = narrow(w, fuzz_name(w, HAS_SLOT), has(w, HAS_SLOT)->lo,
			   has(w, HAS_SLOT)->lo + 2, EXO_R_CONTROL);
	if (has(w, HAS_BLOCK)->kind == EXO_KIND_BLOCK)
		block_part = narrow(w, fuzz_name(w, HAS_BLOCK), has(w, HAS_BLOCK)->lo,
				    has(w, HAS_BLOCK)->lo + 64, GUEST_RW);
}

/* Give it a piece of ours, newly made or the one it had, which is revoked first. */
static void give(struct actor *w, struct actor *to, enum fuzz_slot index, unsigned piece,
		 uint64_t rights)
{
	fuzz_call(w, EXO_CALL_cap_give, fuzz_name(w, piece), fuzz_name(w, HAS_ENV + to->number),
		  to->peer.sid + index, rights, 0);
}

/* The piece of this kind that it was given before, everything under it revoked; 0: none. */
static unsigned taken_back(struct actor *w, const struct actor *to, enum fuzz_slot index)
{
	unsigned piece = w->gave[to->number * HAS_ENV + index];

	if (!piece || w->peer.slots[piece].kind != has(w, index)->kind)
		return 0;
	fuzz_end(w, EXO_CALL_cap_revoke, fuzz_name(w, piece));
	return piece;
}

static unsigned remember(struct actor *w, const struct actor *to, enum fuzz_slot index,
			 exo_slot name)
{
	unsigned piece = name ? exo_slot_sid(name) - w->peer.sid : 0;

	w->gave[to->number * HAS_ENV + index] = (uint16_t)piece;
	return piece;
}

static void equip(struct actor *w, struct actor *to, enum fuzz_slot index, uint64_t lo, uint64_t hi,
		  uint64_t rights)
{
	unsigned piece = taken_back(w, to, index);

	if (!piece)
		piece = remember(w, to, index, narrow(w, fuzz_name(w, index), lo, hi, rights));
	if (piece)
		give(w, to, index, piece, rights);
}

static void equip_nic(struct actor *w, struct actor *to)
{
	unsigned piece = taken_back(w, to, HAS_NIC);

	if (!piece)
		piece = remember(w, to, HAS_NIC, nic_part(w, filters[to->number], to->number));
	if (piece)
		give(w, to, HAS_NIC, piece, GUEST_RW);
}

void fuzz_equip(struct actor *w, unsigned number)
{
	struct actor *to = &fuzz.actor[number];
	uint64_t lo = fuzz.arena_lo + OWN + (number - 1) * PIECE, n = number;
	const struct exo_cap *slots = has(w, HAS_SLOT), *blocks = has(w, HAS_BLOCK);

	to->lo = lo;
	to->hi = lo + PIECE;
	equip(w, to, HAS_FRAME, lo, lo + PIECE, GUEST_R_FRAMES);
	equip(w, to, HAS_SLOT, slots->hi - n, slots->hi - n + 1, EXO_R_CONTROL);
	if (blocks->kind == EXO_KIND_BLOCK)
		equip(w, to, HAS_BLOCK, blocks->hi - 64 * n, blocks->hi - 64 * n + 64, GUEST_RW);
	if (has(w, HAS_NIC)->kind == EXO_KIND_NIC) {
		if (!filters[number])
			filters[number] = object(w, fuzz_name(w, HAS_FRAME),
						 OWN_FILTER + number - 1,
						 EXO_KIND_FILTER, 0);
		equip_nic(w, to);
	}
}
