/* SPDX-License-Identifier: MIT */
/*
 * table.c - each call: the classes of its arguments, how its rightful arguments are made.
 *
 * To add a call: a make function, a row in evil_calls, and for each EVIL_NUMBER argument at least
 * one row in numbers.c; a test says what is missing.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/gate.h>
#include <exos/slot.h>
#include <exos/start.h>
#include "evil.h"

#define WEAK     { .class = EVIL_ANY }
#define NUMBER   { .class = EVIL_NUMBER }
#define MEMORY   { .class = EVIL_MEMORY }
#define OWN_SLOT { .class = EVIL_SLOT }
#define THEIRS   { .class = EVIL_THEIRS }
#define CLAIM(k, r)    { .class = EVIL_CLAIM, .kinds = (k), .rights = (r) }
#define CLAIM_OR_0(k, r) { .class = EVIL_CLAIM, .kinds = (k), .rights = (r), .optional = true }
#define CONTROL EXO_R_CONTROL

static struct exo_map_op map_op;
static struct exo_port_op port_op;
static struct exo_nic_spec nic_spec;

static bool make_nothing(uint64_t *a)
{
	(void)a;
	return true;
}

static bool make_narrow(uint64_t *a)
{
	const struct exo_cap *c;

	a[0] = evil_fresh(EXO_KIND_FRAME, GUEST_R_FRAMES);
	a[1] = guest_sid();
	c = exos_cap_look(a[0]);
	a[2] = c ? c->lo + 2 : 0;
	a[3] = a[2] + 4;
	a[4] = EXO_R_READ;
	return c != NULL;
}

static bool make_give(uint64_t *a)
{
	a[0] = evil_fresh(EXO_KIND_FRAME, GUEST_R_FRAMES);
	a[1] = evil_fresh(EXO_KIND_ENV, EXO_R_GIVE);
	a[2] = evil.peer.sid + 10;
	a[3] = EXO_R_READ;
	evil.peer.page->open_lo = evil.peer.sid;
	evil.peer.page->open_hi = evil.peer.sid + EXO_SLOTS_PER_FRAME;
	/* Into the peer, which keeps slots open. */
	a[1] = (uint64_t)exo_cap_narrow(evil.peer.env, guest_sid(), 0, 0, EXO_R_GIVE);
	return a[0] && (int64_t)a[1] > 0;
}

static void undo_give(const uint64_t *a, int64_t result)
{
	(void)result;
	exos_cap_end(a[1]);
	evil_clear();
}

static bool make_end(uint64_t *a)
{
	return (a[0] = evil_fresh(EXO_KIND_FRAME, EXO_R_READ)) != 0;
}

static bool make_retype(uint64_t *a)
{
	const struct exo_cap *c;

	a[0] = evil_fresh(EXO_KIND_FRAME, GUEST_R_FRAMES);
	a[1] = guest_sid();
	c = exos_cap_look(a[0]);
	a[2] = c ? c->lo : 0;
	a[3] = EXO_KIND_PT;
	a[4] = 1;
	return c != NULL;
}

static bool make_space_update(uint64_t *a)
{
	exo_slot table = guest_retype(evil.frames.slot, evil.frames.lo + 96, EXO_KIND_PT, 3);

	map_op = (struct exo_map_op){ .slot = table, .op = EXO_LINK };
	a[0] = evil_fresh(EXO_KIND_SPACE, CONTROL);
	a[1] = (uint64_t)&map_op;
	a[2] = 1;
	return a[0] && table;
}

static bool make_control(uint64_t *a)
{
	a[0] = evil_fresh(EXO_KIND_ENV, CONTROL);
	a[1] = EXO_ENV_FSBASE;
	a[2] = 0x1000;
	a[3] = 0;
	return a[0] != 0;
}

static bool make_notify(uint64_t *a)
{
	a[0] = (uint64_t)exo_doorbell(evil.claim[EXO_KIND_ENV], guest_sid(), 9, EXO_R_NOTIFY);
	return (int64_t)a[0] > 0;
}

static bool make_doorbell(uint64_t *a)
{
	a[0] = evil_fresh(EXO_KIND_ENV, EXO_R_NOTIFY);
	a[1] = guest_sid();
	a[2] = 9;
	a[3] = EXO_R_NOTIFY;
	return a[0] != 0;
}

static bool make_gate(uint64_t *a)
{
	a[0] = evil_fresh(EXO_KIND_ENV, EXO_R_GIVE);
	a[1] = guest_sid();
	a[2] = 0x400000;
	a[3] = 1;
	return a[0] != 0;
}

static bool make_slot_set(uint64_t *a)
{
	a[0] = evil_fresh(EXO_KIND_SLOT, CONTROL);
	a[1] = a[0] ? exos_cap_look(a[0])->lo : 0;
	a[2] = evil_fresh(EXO_KIND_ENV, EXO_R_RUN);
	return a[0] && a[2];
}

static bool make_irq_bind(uint64_t *a)
{
	a[0] = evil.claim[EXO_KIND_IRQ];
	a[1] = EVIL_ENTRY;
	return a[0] != 0;
}

static bool make_irq_ack(uint64_t *a)
{
	a[0] = evil.claim[EXO_KIND_IRQ];
	return a[0] && exo_irq_bind(a[0], EVIL_ENTRY) == 0;
}

/* A port that may be read at any time. */
static bool make_port(uint64_t *a)
{
	a[0] = evil_fresh(EXO_KIND_PORT, CONTROL);
	if (a[0])
		port_op = (struct exo_port_op){ .port = (uint16_t)exos_cap_look(a[0])->lo,
						.size = 1, .op = EXO_PORT_IN };
	a[1] = (uint64_t)&port_op;
	a[2] = 1;
	return a[0] != 0;
}

static bool make_disk_bind(uint64_t *a)
{
	a[0] = evil.claim[EXO_KIND_RING];
	a[1] = evil_fresh(EXO_KIND_BLOCK, GUEST_RW);
	a[2] = EVIL_ENTRY;
	return a[0] && a[1];
}

static bool make_disk_kick(uint64_t *a)
{
	uint64_t bind[3];

	if (!make_disk_bind(bind) || exo_disk_bind(bind[0], bind[1], bind[2]))
		return false;
	a[0] = bind[0];
	return true;
}

static bool make_nic_narrow(uint64_t *a)
{
	memset(&nic_spec, 0, sizeof(nic_spec));
	nic_spec.receive.mask[4] = nic_spec.send.mask[4] = 0xff;
	nic_spec.receive.value[4] = nic_spec.send.value[4] = 0x5a;
	a[0] = evil_fresh(EXO_KIND_NIC, GUEST_RW);
	a[1] = guest_sid();
	a[2] = evil.claim[EXO_KIND_FILTER];
	a[3] = (uint64_t)&nic_spec;
	a[4] = GUEST_RW;
	return a[0] && a[2];
}

static bool make_nic_bind(uint64_t *a)
{
	a[0] = evil.claim[EXO_KIND_PACKETS];
	a[1] = evil_fresh(EXO_KIND_NIC, GUEST_RW);
	a[2] = EVIL_ENTRY;
	return a[0] && a[1];
}

static bool make_nic_kick(uint64_t *a)
{
	uint64_t bind[3];

	if (!make_nic_bind(bind) || exo_nic_bind(bind[0], bind[1], bind[2]))
		return false;
	a[0] = bind[0];
	return true;
}

/* To oneself: 0 at once. */
static bool make_yield(uint64_t *a)
{
	a[0] = (uint64_t)exo_cap_narrow(guest_claim("env"), guest_sid(), 0, 0, EXO_R_RUN);
	return (int64_t)a[0] > 0;
}

static void undo_yield(const uint64_t *a, int64_t result)
{
	(void)result;
	exos_cap_end(a[0]);
}

static bool make_wait(uint64_t *a)
{
	a[0] = exos_page()->event_head - 1u;
	a[1] = 0;
	return true;
}

static bool make_notify_wait(uint64_t *a)
{
	a[1] = exos_page()->event_head - 1u;
	a[2] = 0;
	return make_notify(a);
}

static bool make_gate_call(uint64_t *a)
{
	a[0] = (uint64_t)exo_gate_make(evil.server.env, guest_sid(), (uint64_t)peer_gate, 3);
	a[1] = evil_fresh(EXO_KIND_FRAME, EXO_R_READ);
	return (int64_t)a[0] > 0 && a[1];
}

static void undo_gate(const uint64_t *a, int64_t result)
{
	(void)result;
	exos_cap_end(a[0]);
	evil_clear();
}

#define CALL(n, count) .number = EXO_CALL_##n, .name = #n, .args = count

const struct evil_call evil_calls[] = {
	{ CALL(version, 0), .make = make_nothing },
	{ CALL(cap_narrow, 5), .make = make_narrow, .twice = -EXO_E_SPLIT,
	  .arg = { CLAIM(EVIL_KINDS, 0), OWN_SLOT, NUMBER, NUMBER, NUMBER } },
	{ CALL(cap_give, 4), .make = make_give, .undo = undo_give, .twice = -EXO_E_SPLIT,
	  .arg = { CLAIM(EVIL_KINDS, 0), CLAIM(EVIL_KIND(ENV), EXO_R_GIVE), THEIRS, NUMBER } },
	{ CALL(cap_drop, 1), .make = make_end, .twice = -EXO_E_STALE, .thaws = 1,
	  .arg = { CLAIM(EVIL_KINDS, 0) } },
	{ CALL(cap_revoke, 1), .make = make_end, .twice = 1, .thaws = 1,
	  .arg = { CLAIM(EVIL_KINDS, 0) } },
	{ CALL(retype, 5), .make = make_retype, .twice = -EXO_E_SPLIT,
	  .arg = { CLAIM(EVIL_KIND(FRAME), EXO_R_RETYPE), OWN_SLOT, NUMBER, NUMBER, NUMBER } },
	{ CALL(space_update, 3), .make = make_space_update, .twice = -EXO_E_MAPPED,
	  .arg = { CLAIM(EVIL_KIND(SPACE), CONTROL), MEMORY, NUMBER } },
	{ CALL(env_control, 4), .make = make_control, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(ENV), CONTROL), NUMBER, NUMBER, WEAK } },
	{ CALL(env_notify, 1), .make = make_notify, .twice = 1, .thaws = 1,
	  .arg = { CLAIM(EVIL_KIND(ENV), EXO_R_NOTIFY) } },
	{ CALL(env_alarm, 0), .make = make_nothing, .twice = 1 },
	{ CALL(doorbell, 4), .make = make_doorbell, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(ENV), EXO_R_NOTIFY), OWN_SLOT, NUMBER, NUMBER } },
	{ CALL(gate_make, 4), .make = make_gate, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(ENV), EXO_R_GIVE), OWN_SLOT, NUMBER, NUMBER } },
	{ CALL(slot_set, 3), .make = make_slot_set, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(SLOT), CONTROL), NUMBER,
		   CLAIM_OR_0(EVIL_KIND(ENV), EXO_R_RUN) } },
	{ CALL(irq_bind, 2), .make = make_irq_bind, .twice = -EXO_E_BUSY,
	  .arg = { CLAIM(EVIL_KIND(IRQ), CONTROL), NUMBER } },
	{ CALL(irq_ack, 1), .make = make_irq_ack, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(IRQ), CONTROL) } },
	{ CALL(port_io, 3), .make = make_port, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(PORT), CONTROL), MEMORY, NUMBER } },
	{ CALL(disk_bind, 3), .make = make_disk_bind, .twice = -EXO_E_BUSY,
	  .arg = { CLAIM(EVIL_KIND(RING), CONTROL), CLAIM(EVIL_KIND(BLOCK), 0), NUMBER } },
	{ CALL(disk_kick, 1), .make = make_disk_kick, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(RING), CONTROL) } },
	{ CALL(nic_narrow, 5), .make = make_nic_narrow, .twice = -EXO_E_BUSY,
	  .arg = { CLAIM(EVIL_KIND(NIC), EXO_R_WRITE), OWN_SLOT,
		   CLAIM(EVIL_KIND(FILTER), CONTROL), MEMORY, NUMBER } },
	{ CALL(nic_bind, 3), .make = make_nic_bind, .twice = -EXO_E_BUSY,
	  .arg = { CLAIM(EVIL_KIND(PACKETS), CONTROL), CLAIM(EVIL_KIND(NIC), 0), NUMBER } },
	{ CALL(nic_kick, 1), .make = make_nic_kick, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(PACKETS), CONTROL) } },
	{ CALL(cap_ask, 3), .make = make_ask, .twice = 1, .thaws = 1,
	  .arg = { CLAIM(EVIL_KINDS, 0), WEAK, NUMBER } },
	{ CALL(vcpu_bind, 2), .make = make_vcpu_bind, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(VCPU), CONTROL), CLAIM(EVIL_KIND(SPACE), EXO_R_RUN) } },
	{ CALL(vcpu_run, 2), .make = make_vcpu_run, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(VCPU), EXO_R_RUN), WEAK } },
	{ CALL(pci_config, 4), .make = make_pci_config, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(PCI), CONTROL), NUMBER, NUMBER, NUMBER } },
	{ CALL(pci_bind, 3), .make = make_pci_bind, .twice = -EXO_E_BUSY,
	  .arg = { CLAIM(EVIL_KIND(PCI), CONTROL), CLAIM_OR_0(EVIL_KIND(SPACE), CONTROL),
		   NUMBER } },
	{ CALL(pci_vector, 3), .make = make_pci_vector, .twice = -EXO_E_BUSY,
	  .arg = { CLAIM(EVIL_KIND(PCI), CONTROL), NUMBER, NUMBER } },
	{ CALL(pci_ack, 2), .make = make_pci_ack, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(PCI), CONTROL), NUMBER } },
	{ CALL(pci_reset, 1), .make = make_pci_reset, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(PCI), CONTROL) } },
	{ CALL(prog_load, 3), .make = make_prog_load, .twice = 1,
	  .arg = { CLAIM(EVIL_KIND(PROG), CONTROL), MEMORY, NUMBER } },
	{ CALL(nic_prog, 2), .make = make_nic_prog, .twice = -EXO_E_BUSY,
	  .arg = { CLAIM(EVIL_KIND(NIC), EXO_R_READ),
		   CLAIM_OR_0(EVIL_KIND(PROG), EXO_R_CALL) } },
	{ CALL(env_wait_until, 1), .make = make_wait_until, .twice = 1, .arg = { WEAK } },
	{ CALL(env_yield, 1), .make = make_yield, .undo = undo_yield, .twice = 1, .thaws = 1,
	  .arg = { CLAIM_OR_0(EVIL_KIND(ENV) | EVIL_KIND(GATE), EXO_R_RUN) } },
	{ CALL(env_wait, 2), .make = make_wait, .twice = 1, .arg = { WEAK, WEAK } },
	{ CALL(env_notify_wait, 3), .make = make_notify_wait, .twice = 1, .thaws = 1,
	  .arg = { CLAIM(EVIL_KIND(ENV), EXO_R_NOTIFY), WEAK, WEAK } },
	{ CALL(gate_call, 6), .make = make_gate_call, .undo = undo_gate, .twice = 1, .thaws = 1,
	  .arg = { CLAIM(EVIL_KIND(GATE), EXO_R_CALL), CLAIM_OR_0(EVIL_KINDS, 0),
		   WEAK, WEAK, WEAK } },
	/* Nobody is inside: always refused; tests/guest/gate.c returns from calls. */
	{ CALL(gate_return, 6), .arg = { WEAK, WEAK, WEAK, WEAK, WEAK } },
	/* It does not return; every test ends by it. */
	{ CALL(env_exit, 0) },
};
const unsigned evil_call_count = ARRAY_LEN(evil_calls);

static int64_t make_call(const struct evil_call *c, const uint64_t *a)
{
	struct exos_gate_message m = { .cap = a[1] };

	if (c->number == EXO_CALL_gate_call)
		return exos_gate_call_once(a[0], &m);
	switch (c->args) {
	case 0: return insn_call0(c->number);
	case 1: return insn_call1(c->number, a[0]);
	case 2: return insn_call2(c->number, a[0], a[1]);
	case 3: return insn_call3(c->number, a[0], a[1], a[2]);
	case 4: return insn_call4(c->number, a[0], a[1], a[2], a[3]);
	default: return insn_call5(c->number, a[0], a[1], a[2], a[3], a[4]);
	}
}

int64_t evil_call(const struct evil_call *c, const uint64_t *a)
{
	/* That of a gate is counted where it is made. */
	return c->number == EXO_CALL_gate_call ? make_call(c, a)
					       : pair_count(c->number, make_call(c, a));
}
