/* SPDX-License-Identifier: MIT */
/*
 * fuzz_act.c - one random call of an actor, mostly a plausible one.
 *
 * An actor looks at its own table (a load) and picks claims of the kind that a call takes, ranges
 * within them and slots that are empty; one time in eight an argument is anything at all.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include "fuzz.h"
#include "guest/prog.h"

#define PAST 1u                 /* a time stamp that has been: the same in each run */

static uint64_t fuzz_next(struct actor *a) { return fuzz_random(&a->random); }

uint64_t fuzz_below(struct actor *a, uint64_t bound)
{
	return (fuzz_next(a) >> 8) % bound;
}

exo_slot fuzz_name(const struct actor *a, unsigned index)
{
	return exo_slot_make(a->peer.sid + index, a->peer.slots[index].gen);
}

exo_sid fuzz_empty(struct actor *a)
{
	unsigned from = (unsigned)fuzz_below(a, EXO_SLOTS_PER_FRAME);

	for (unsigned i = 0; i < EXO_SLOTS_PER_FRAME; i++) {
		unsigned index = (from + i) % EXO_SLOTS_PER_FRAME;

		if (index >= FUZZ_FIRST && a->peer.slots[index].kind == EXO_KIND_NONE)
			return a->peer.sid + index;
	}
	return 0;
}

/*
 * A claim of the kind out of the own table, or any (NONE): its index; EXO_SLOTS_PER_FRAME: none.
 * Never the test itself: whether that can run depends on its disk.
 */
static unsigned pick(struct actor *a, enum exo_kind kind)
{
	unsigned from = (unsigned)fuzz_below(a, EXO_SLOTS_PER_FRAME);

	for (unsigned i = 0; i < EXO_SLOTS_PER_FRAME; i++) {
		unsigned index = (from + i) % EXO_SLOTS_PER_FRAME;
		uint8_t is = a->peer.slots[index].kind;

		if (index != HAS_MAIN && (kind == EXO_KIND_NONE ? is != EXO_KIND_NONE : is == kind))
			return index;
	}
	return EXO_SLOTS_PER_FRAME;
}

static uint64_t nonsense(struct actor *a)
{
	uint64_t r = fuzz_next(a);

	switch (r >> 61) {
	case 0: return a->peer.sid + r % 70;
	case 1: return a->group->arena.lo + r % (a->group->arena.hi - a->group->arena.lo + 2) - 1;
	case 2: return r % 8;
	case 3: return (r % 4096) * 4096;
	case 4: return 1ull << (r % 64);
	case 5: return r % 300;
	case 6: return 0;
	default: return r;
	}
}

static bool odd(struct actor *a) { return fuzz_below(a, 8) == 0; }

/* The name of a claim of this kind, sometimes of another or of none. */
static exo_slot some(struct actor *a, enum exo_kind kind)
{
	uint64_t r = fuzz_below(a, 24);
	unsigned index = pick(a, r == 0 ? EXO_KIND_NONE : kind);

	if (r == 1)
		return nonsense(a);
	if (index == EXO_SLOTS_PER_FRAME)
		index = FUZZ_FIRST + (unsigned)fuzz_below(a, EXO_SLOTS_PER_FRAME - FUZZ_FIRST);
	return fuzz_name(a, index) + (r == 2 ? 1ull << 32 : 0);
}

static const struct exo_cap *look(const struct actor *a, exo_slot name)
{
	uint64_t index = exo_slot_sid(name) - a->peer.sid;

	return index < EXO_SLOTS_PER_FRAME ? &a->peer.slots[index] : &a->peer.slots[0];
}

static uint64_t destination(struct actor *a)
{
	return odd(a) ? nonsense(a) : fuzz_empty(a);
}

static uint64_t rights_of(struct actor *a, const struct exo_cap *c, bool share)
{
	uint64_t rights = c->rights & (fuzz_below(a, 4) ? ~0ull : fuzz_next(a));

	if (fuzz_below(a, 16) == 0)
		rights = fuzz_next(a) & 0x3ff;
	return share ? (rights & ~(uint64_t)EXO_R_RETYPE) | EXO_SHARE : rights;
}

static void act_narrow(struct actor *a)
{
	static const enum exo_kind kinds[] = { EXO_KIND_FRAME, EXO_KIND_FRAME, EXO_KIND_FRAME,
		EXO_KIND_SLOT, EXO_KIND_BLOCK, EXO_KIND_PORT, EXO_KIND_NONE };
	exo_slot src = some(a, kinds[fuzz_below(a, ARRAY_LEN(kinds))]);
	const struct exo_cap *c = look(a, src);
	uint64_t lo = 0, hi = 0, length = c->hi - c->lo;
	bool share = fuzz_below(a, 3) == 0 &&
		     (c->kind == EXO_KIND_FRAME || c->kind == EXO_KIND_BLOCK);

	if (c->kind == EXO_KIND_FRAME || c->kind == EXO_KIND_SLOT || c->kind == EXO_KIND_BLOCK ||
	    c->kind == EXO_KIND_PORT) {
		lo = c->lo + (length ? fuzz_below(a, length) : 0);
		hi = lo + 1 + fuzz_below(a, length > 2 ? length / 2 : 1);
	}
	if (odd(a))
		lo = nonsense(a);
	if (odd(a))
		hi = nonsense(a);
	fuzz_call(a, EXO_CALL_cap_narrow, src, destination(a), lo, hi, rights_of(a, c, share));
}

static void act_give(struct actor *a)
{
	struct actor *to = &a->group->actor[fuzz_below(a, a->group->actors)];
	exo_slot src = some(a, EXO_KIND_NONE);
	const struct exo_cap *c = look(a, src);
	uint64_t dst = odd(a) ? nonsense(a) : fuzz_empty(to);
	exo_slot env = odd(a) ? some(a, EXO_KIND_ENV) : fuzz_name(a, HAS_ENV + to->number);

	fuzz_call(a, EXO_CALL_cap_give, src, env, dst, rights_of(a, c, fuzz_below(a, 3) == 0), 0);
}

/* Only what was made or received: the first slots are the warden's to fill. */
static void act_end(struct actor *a)
{
	unsigned index = FUZZ_FIRST + (unsigned)fuzz_below(a, EXO_SLOTS_PER_FRAME - FUZZ_FIRST);
	uint32_t call = fuzz_below(a, 3) ? EXO_CALL_cap_drop : EXO_CALL_cap_revoke;

	if (fuzz_below(a, 12) == 0)
		fuzz_end(a, EXO_CALL_cap_revoke, fuzz_name(a, (unsigned)fuzz_below(a, HAS_ENV)));
	else if (odd(a))
		fuzz_end(a, call, fuzz_next(a));
	else
		fuzz_end(a, call, fuzz_name(a, index));
}

static void act_retype(struct actor *a)
{
	static const struct { enum exo_kind kind; uint64_t args; } kinds[] = {
		{ EXO_KIND_PT, 4 }, { EXO_KIND_PT, 4 }, { EXO_KIND_SPACE, 3 }, { EXO_KIND_ENV, 1 },
		{ EXO_KIND_RING, 1 }, { EXO_KIND_FILTER, 1 }, { EXO_KIND_PACKETS, 3 },
		{ EXO_KIND_TABLE, 0 }, { EXO_KIND_FRAME, 1 }, { EXO_KIND_VCPU, 1 },
		{ EXO_KIND_PROG, 40 },
	};
	unsigned k = (unsigned)fuzz_below(a, ARRAY_LEN(kinds));
	exo_slot src = some(a, EXO_KIND_FRAME);
	const struct exo_cap *c = look(a, src);
	uint64_t pfn = c->lo + fuzz_below(a, c->hi > c->lo ? c->hi - c->lo : 1);
	uint64_t arg = kinds[k].args ? fuzz_below(a, kinds[k].args + (fuzz_below(a, 8) == 0))
				     : some(a, EXO_KIND_ENV);

	if (odd(a))
		pfn = nonsense(a);
	fuzz_call(a, EXO_CALL_retype, src, destination(a), pfn, kinds[k].kind, arg);
}

/* Few addresses, so that tables and mappings meet. */
static uint64_t some_va(struct actor *a)
{
	uint64_t r = fuzz_next(a);

	if (odd(a))
		return nonsense(a);
	return (r & 1) << 39 | (r >> 1 & 1) << 30 | (r >> 2 & 1) << 21 | (r >> 3 & 7) << 12;
}

static void act_map(struct actor *a)
{
	struct exo_map_op op = { .va = some_va(a), .pages = 1 + (uint32_t)fuzz_below(a, 3) };
	uint64_t r = fuzz_below(a, 16);
	const struct exo_cap *c;

	if (r < 5) {
		op.op = EXO_LINK;
		op.slot = some(a, EXO_KIND_PT);
		op.va &= ~0xffful;
	} else if (r < 12) {
		static const enum exo_kind kinds[] = { EXO_KIND_FRAME, EXO_KIND_FRAME,
			EXO_KIND_FRAME, EXO_KIND_ENV, EXO_KIND_RING, EXO_KIND_TABLE,
			EXO_KIND_PACKETS };

		op.op = EXO_MAP;
		op.slot = some(a, kinds[fuzz_below(a, ARRAY_LEN(kinds))]);
		c = look(a, op.slot);
		op.pfn = c->lo + fuzz_below(a, c->hi > c->lo && c->kind == EXO_KIND_FRAME ?
					       c->hi - c->lo : 4);
		op.prot = (uint16_t)(EXO_R_READ | (c->rights & EXO_R_WRITE));
	} else if (r < 14) {
		op.op = EXO_PROTECT;
		op.prot = (uint16_t)(EXO_R_READ | fuzz_below(a, 8));
	} else {
		op.op = r == 14 ? EXO_UNMAP : EXO_UNLINK;
		op.prot = op.op == EXO_UNLINK ? (uint16_t)(1 + fuzz_below(a, 3)) : 0;
	}
	if (fuzz_below(a, 32) == 0)
		op.prot = (uint16_t)fuzz_next(a);
	if (fuzz_below(a, 64) == 0)
		op.op = (uint16_t)fuzz_below(a, 9);
	fuzz_map(a, some(a, EXO_KIND_SPACE), &op);
}

/* What was started is stopped at once: how far it came else would be a matter of time. */
static void control(struct actor *a, exo_slot env, uint64_t op, uint64_t arg)
{
	if (fuzz_call(a, EXO_CALL_env_control, env, op, arg, nonsense(a), 0) < 0 ||
	    op != EXO_ENV_START)
		return;
	while (fuzz_call(a, EXO_CALL_env_control, env, EXO_ENV_STOP, 0, 0, 0) == EXO_MORE)
		continue;
}

static void act_env(struct actor *a)
{
	exo_slot env = some(a, EXO_KIND_ENV);
	uint64_t r = fuzz_below(a, 8);

	switch (r) {
	case 0:
		fuzz_call(a, EXO_CALL_doorbell, env, destination(a),
			  odd(a) ? nonsense(a) : 1 + fuzz_below(a, 200),
			  odd(a) ? fuzz_next(a) & 0x3ff : EXO_R_NOTIFY, 0);
		break;
	case 1:
		fuzz_call(a, EXO_CALL_gate_make, env, destination(a),
			  odd(a) ? nonsense(a) : (uint64_t)peer_gate, odd(a) ? nonsense(a) : 1, 0);
		break;
	case 2: case 3:
		fuzz_call(a, EXO_CALL_env_notify, env, 0, 0, 0, 0);
		break;
	case 4:
		control(a, env, fuzz_below(a, 7), odd(a) ? nonsense(a) : some(a, EXO_KIND_SPACE));
		break;
	case 5:
		fuzz_call(a, EXO_CALL_slot_set, some(a, EXO_KIND_SLOT),
			  look(a, some(a, EXO_KIND_SLOT))->lo, fuzz_below(a, 4) ? env : 0, 0, 0);
		break;
	case 6:
		fuzz_call(a, EXO_CALL_env_yield, fuzz_below(a, 64) ? env : 0, 0, 0, 0, 0);
		break;
	default:
		fuzz_gate(a, some(a, EXO_KIND_GATE), fuzz_below(a, 2) ? some(a, EXO_KIND_NONE) : 0);
	}
}

static void act_device(struct actor *a)
{
	struct exo_port_op in = { .size = (uint8_t)(1 + (fuzz_below(a, 16) == 0)) };
	struct exo_nic_spec spec = { 0 };
	exo_slot port = some(a, EXO_KIND_PORT);

	switch (fuzz_below(a, 7)) {
	case 0:
		in.port = (uint16_t)(look(a, port)->lo + (odd(a) ? fuzz_next(a) : 0));
		fuzz_call(a, EXO_CALL_port_io, port, odd(a) ? nonsense(a) : (uint64_t)&in,
			  odd(a) ? nonsense(a) : 1, 0, 0);
		break;
	case 1:
		fuzz_call(a, EXO_CALL_disk_bind, some(a, EXO_KIND_RING), some(a, EXO_KIND_BLOCK),
			  odd(a) ? nonsense(a) : 201 + fuzz_below(a, 50), 0, 0);
		break;
	case 2: fuzz_call(a, EXO_CALL_disk_kick, some(a, EXO_KIND_RING), 0, 0, 0, 0); break;
	case 3:
		((uint8_t *)spec.receive.mask)[fuzz_below(a, 64)] = 0xff;
		memcpy(spec.send.mask, spec.receive.mask, sizeof(spec.send.mask));
		fuzz_call(a, EXO_CALL_nic_narrow, some(a, EXO_KIND_NIC), destination(a),
			  some(a, EXO_KIND_FILTER), odd(a) ? nonsense(a) : (uint64_t)&spec,
			  fuzz_below(a, 4) | (fuzz_below(a, 4) ? 0 : EXO_SHARE));
		break;
	case 4:
		fuzz_call(a, EXO_CALL_nic_bind, some(a, EXO_KIND_PACKETS), some(a, EXO_KIND_NIC),
			  odd(a) ? nonsense(a) : 201 + fuzz_below(a, 50), 0, 0);
		break;
	case 5: fuzz_call(a, EXO_CALL_nic_kick, some(a, EXO_KIND_PACKETS), 0, 0, 0, 0); break;
	default:
		fuzz_call(a, fuzz_below(a, 2) ? EXO_CALL_irq_bind : EXO_CALL_irq_ack,
			  some(a, EXO_KIND_IRQ), odd(a) ? nonsense(a) : 201 + fuzz_below(a, 50), 0,
			  0, 0);
	}
}

/* Programs that are loaded in a few calls, some of them none. */
static void act_prog(struct actor *a)
{
	static const struct exo_insn insn[2][2] = { { I_MOV(0, 1), I_EXIT },
						    { I_EXIT, I_MOV(0, 1) } };
	uint64_t count = odd(a) ? nonsense(a) : 2;

	if (fuzz_below(a, 4) == 0)
		fuzz_call(a, EXO_CALL_nic_prog, some(a, EXO_KIND_NIC),
			  fuzz_below(a, 4) ? some(a, EXO_KIND_PROG) : 0, 0, 0, 0);
	else if (fuzz_below(a, 4) == 0)
		fuzz_call(a, EXO_CALL_env_control, some(a, EXO_KIND_ENV), EXO_ENV_PREDICATE,
			  some(a, EXO_KIND_PROG), 0, 0);
	else
		fuzz_call(a, EXO_CALL_prog_load, some(a, EXO_KIND_PROG),
			  odd(a) ? nonsense(a) : (uint64_t)insn[fuzz_below(a, 8) == 0], count, 0,
			  0);
}

/* No guest gets far: the state of a new one is none that a processor enters. */
static void act_vcpu(struct actor *a)
{
	if (fuzz_below(a, 2))
		fuzz_call(a, EXO_CALL_vcpu_bind, some(a, EXO_KIND_VCPU), some(a, EXO_KIND_SPACE), 0,
			  0, 0);
	else
		fuzz_call(a, EXO_CALL_vcpu_run, some(a, EXO_KIND_VCPU),
			  odd(a) ? nonsense(a) : a->peer.page->event_head, 0, 0, 0);
}

/* No actor holds a function but the warden. */
static void act_newer(struct actor *a)
{
	static const uint32_t pci[] = { EXO_CALL_pci_config, EXO_CALL_pci_bind, EXO_CALL_pci_vector,
					EXO_CALL_pci_ack, EXO_CALL_pci_reset };

	switch (fuzz_below(a, 8)) {
	case 0: case 1: case 2: act_prog(a); break;
	case 3: case 4: act_vcpu(a); break;
	case 5: fuzz_call(a, EXO_CALL_env_wait_until, PAST, 0, 0, 0, 0); break;
	case 6:
		fuzz_call(a, pci[fuzz_below(a, ARRAY_LEN(pci))], some(a, EXO_KIND_NONE),
			  nonsense(a), nonsense(a), nonsense(a), 0);
		break;
	default:
		fuzz_call(a, EXO_CALL_cap_ask, some(a, EXO_KIND_NONE), fuzz_next(a),
			  odd(a) ? some(a, EXO_KIND_NONE) : 0, 0, 0);
	}
}

static void act_small(struct actor *a)
{
	switch (fuzz_below(a, 5)) {
	case 3:
		fuzz_call(a, EXO_CALL_env_notify_wait, some(a, EXO_KIND_ENV), fuzz_next(a), PAST,
			  0, 0);
		break;
	case 0: fuzz_call(a, EXO_CALL_version, 0, 0, 0, 0, 0); break;
	case 1: fuzz_call(a, EXO_CALL_env_alarm, 0, 0, 0, 0, 0); break;
	case 2: fuzz_call(a, EXO_CALL_env_wait, fuzz_next(a), PAST, 0, 0, 0); break;
	default: fuzz_call(a, EXO_CALL_gate_return, fuzz_next(a), nonsense(a), 0, 0, 0);
	}
}

/* Any call but exit and a wait without end, with any arguments. */
static void act_nonsense(struct actor *a)
{
	static const uint32_t calls[] = { EXO_CALL_cap_narrow, EXO_CALL_cap_give, EXO_CALL_retype,
		EXO_CALL_doorbell, EXO_CALL_gate_make, EXO_CALL_slot_set, EXO_CALL_irq_bind,
		EXO_CALL_disk_bind, EXO_CALL_nic_bind, EXO_CALL_nic_narrow, EXO_CALL_port_io,
		EXO_CALL_disk_kick, EXO_CALL_env_notify, EXO_CALL_irq_ack };
	uint64_t arg[5];

	for (unsigned i = 0; i < 5; i++)
		arg[i] = i < 2 && fuzz_below(a, 2) ? some(a, EXO_KIND_NONE) : nonsense(a);
	if (fuzz_below(a, ARRAY_LEN(calls) + 1) == 0)
		control(a, arg[0], arg[1], arg[2]);
	else
		fuzz_call(a, calls[fuzz_below(a, ARRAY_LEN(calls))], arg[0], arg[1], arg[2], arg[3],
			  arg[4]);
}

void fuzz_act(struct actor *a)
{
	unsigned empty = 0;

	for (unsigned i = FUZZ_FIRST; i < EXO_SLOTS_PER_FRAME; i++)
		empty += a->peer.slots[i].kind == EXO_KIND_NONE;
	if (fuzz_below(a, 40) >= empty)
		act_end(a);
	switch (fuzz_below(a, 22)) {
	case 0: case 1: case 2: case 3: act_narrow(a); break;
	case 4: case 5: act_give(a); break;
	case 6: case 7: act_retype(a); break;
	case 8: case 9: case 10: case 11: act_map(a); break;
	case 12: case 13: case 14: act_env(a); break;
	case 15: case 16: act_device(a); break;
	case 17: act_small(a); break;
	case 18: act_end(a); break;
	case 19: case 20: act_newer(a); break;
	default: act_nonsense(a);
	}
}
