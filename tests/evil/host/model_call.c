/* SPDX-License-Identifier: MIT */
/*
 * model_call.c - what each call must return by the rules, in the order in which they are checked.
 *
 * MODEL_LOOSE: what decides it (an environment's state, a filter's patterns, a device) is not
 * modelled, so any result is right, and a success is believed.
 */
#include "model.h"

#include <exo/prog.h>

#define NUMBER(call) (EXO_NUMBER_##call)
#define EXO_CALL(number, name, args, text)   EXO_NUMBER_##name = number,
#define EXO_SWITCH(number, name, args, text) EXO_NUMBER_##name = number,
enum {
#include <exo/syscalls.def>
};

static bool rights_known(uint64_t rights, uint64_t more)
{
	return !(rights & ~(EXO_R_ALL | more));
}

static int narrow(const struct fuzz_record *r, bool act)
{
	struct node *c, *dst, spec;
	int err;

	if (!rights_known(r->arg[4], EXO_SHARE))
		return -EXO_E_ARG;
	if ((err = model_any(r->actor, r->arg[0], &c)))
		return err;
	spec = model_whole(c, r->arg[4]);
	if (c->kind == EXO_KIND_FRAME || c->kind == EXO_KIND_SLOT || c->kind == EXO_KIND_BLOCK ||
	    c->kind == EXO_KIND_PORT) {
		spec.lo = r->arg[2];
		spec.hi = r->arg[3];
	} else if (r->arg[2] || r->arg[3]) {
		return -EXO_E_ARG;
	}
	if ((err = model_empty(model.env[r->actor], r->arg[1], &dst)) ||
	    (err = model_derive_check(c, &spec)) < 0)
		return err;
	if (act)
		model_derive(c, dst, &spec);
	return err;
}

/* Slots that an environment keeps open: of actors all but the warden's; of others none. */
static bool is_open(uint64_t env, uint64_t dst)
{
	for (unsigned i = 1; i < model.actors; i++)
		if (model.env[i] == env)
			return dst / EXO_SLOTS_PER_FRAME == model.own[i];
	return false;
}

static int give(const struct fuzz_record *r, bool act)
{
	struct node *c, *env, *dst, spec;
	int err;

	if (!rights_known(r->arg[3], EXO_SHARE))
		return -EXO_E_ARG;
	if ((err = model_any(r->actor, r->arg[0], &c)) ||
	    (err = model_find(r->actor, r->arg[1], EXO_KIND_ENV, EXO_R_GIVE, &env)))
		return err;
	if (!(env->rights & EXO_R_CONTROL) && !is_open(env->lo, r->arg[2]))
		return -EXO_E_SLOT;
	spec = model_whole(c, r->arg[3]);
	if ((err = model_empty(env->lo, r->arg[2], &dst)) ||
	    (err = model_derive_check(c, &spec)) < 0)
		return err;
	if (act)
		model_derive(c, dst, &spec);
	return err;
}

static int end(const struct fuzz_record *r, bool act)
{
	struct node *c;
	int err = model_any(r->actor, r->arg[0], &c);

	if (err || !act || r->result == EXO_MORE)
		return err;
	if (r->what == NUMBER(cap_drop))
		model_drop(c);
	else
		model_revoke(c);
	return 0;
}

static int doorbell(const struct fuzz_record *r, bool act)
{
	struct node *c, *dst, spec;
	int err;

	if (!rights_known(r->arg[3], 0))
		return -EXO_E_ARG;
	if ((err = model_find(r->actor, r->arg[0], EXO_KIND_ENV, EXO_R_NOTIFY, &c)))
		return err;
	spec = model_whole(c, r->arg[3]);
	if (spec.hi || !(r->arg[3] & EXO_R_NOTIFY))
		return -EXO_E_RIGHTS;
	if (r->arg[2] >= EXO_EVENTS)
		return -EXO_E_RANGE;
	spec.hi = r->arg[2] + 1;
	if ((err = model_empty(model.env[r->actor], r->arg[1], &dst)) ||
	    (err = model_derive_check(c, &spec)) < 0)
		return err;
	if (!r->arg[2])
		return -EXO_E_RANGE;
	if (act)
		model_derive(c, dst, &spec);
	return r->result == -EXO_E_ROOM ? MODEL_LOOSE : 0;      /* another source has the entry */
}

static int gate_make(const struct fuzz_record *r, bool act)
{
	struct node *c, *dst, spec;
	int err;

	if (r->arg[2] >= EXO_USER_TOP || r->arg[3] >> 32)
		return -EXO_E_RANGE;
	if ((err = model_find(r->actor, r->arg[0], EXO_KIND_ENV, EXO_R_GIVE, &c)) ||
	    (err = model_empty(model.env[r->actor], r->arg[1], &dst)))
		return err;
	spec = (struct node){ .kind = EXO_KIND_GATE, .lo = c->lo, .hi = r->arg[2],
			      .badge = (uint32_t)r->arg[3], .rights = EXO_R_CALL };
	if (act)
		model_derive(c, dst, &spec);
	return 0;
}

static int slot_set(const struct fuzz_record *r, bool act)
{
	struct node *c, *env = NULL;
	int err = model_find(r->actor, r->arg[0], EXO_KIND_SLOT, EXO_R_CONTROL, &c);

	if (!err && r->arg[2])
		err = model_find(r->actor, r->arg[2], EXO_KIND_ENV, EXO_R_RUN, &env);
	if (err)
		return err;
	if (r->arg[1] < c->lo || r->arg[1] >= c->hi)
		return -EXO_E_RANGE;
	if (!model_slot_held(c, r->arg[1]))
		return -EXO_E_SPLIT;
	if (act)
		model.vector[c->unit][r->arg[1]] = env ? env->lo : 0;
	return 0;
}

static int irq_bind(const struct fuzz_record *r, bool act)
{
	struct node *c;
	int err;

	if (r->arg[1] >= EXO_EVENTS)
		return -EXO_E_RANGE;
	if ((err = model_find(r->actor, r->arg[0], EXO_KIND_IRQ, EXO_R_CONTROL, &c)))
		return err;
	if (act)
		c->bound = r->arg[1] != 0;
	return r->arg[1] ? MODEL_LOOSE : 0;
}

static int disk_bind(const struct fuzz_record *r, bool act)
{
	struct node *ring, *block;
	int err;

	if (r->arg[2] >= EXO_EVENTS)
		return -EXO_E_RANGE;
	if ((err = model_find(r->actor, r->arg[0], EXO_KIND_RING, EXO_R_CONTROL, &ring)) ||
	    (err = model_find(r->actor, r->arg[1], EXO_KIND_BLOCK, 0, &block)))
		return err;
	if (model_frame(ring->lo)->ring)
		return -EXO_E_BUSY;
	for (exo_sid kid = block->child; kid; kid = model_node(kid)->next)
		if (!(model_node(kid)->flags & EXO_CAP_SHARE))
			return -EXO_E_SPLIT;
	if (act) {
		model_frame(ring->lo)->ring = block->sid;
		block->bound++;
	}
	return r->result == -EXO_E_ROOM ? MODEL_LOOSE : 0;
}

static int disk_kick(const struct fuzz_record *r)
{
	struct node *ring;
	int err = model_find(r->actor, r->arg[0], EXO_KIND_RING, EXO_R_CONTROL, &ring);

	if (err)
		return err;
	return model_frame(ring->lo)->ring ? MODEL_LOOSE : -EXO_E_ARG;
}

static int nic_narrow(const struct fuzz_record *r, bool act)
{
	struct node *nic, *filter, *dst, spec;
	int err;

	if (r->arg[4] & ~(uint64_t)(EXO_R_READ | EXO_R_WRITE | EXO_SHARE))
		return -EXO_E_ARG;
	if (r->result == -EXO_E_FAULT)          /* memory is not modelled */
		return MODEL_LOOSE;
	err = model_find(r->actor, r->arg[0], EXO_KIND_NIC, r->arg[4] & EXO_R_ALL, &nic);
	if (err ||
	    (err = model_find(r->actor, r->arg[2], EXO_KIND_FILTER, EXO_R_CONTROL, &filter)) ||
	    (err = model_empty(model.env[r->actor], r->arg[1], &dst)))
		return err;
	if (nic->flags & EXO_CAP_SHARE)
		return -EXO_E_SHARED;
	spec = (struct node){ .kind = EXO_KIND_NIC, .lo = filter->lo, .unit = nic->unit,
		.rights = r->arg[4] & EXO_R_ALL, .flags = r->arg[4] & EXO_SHARE ? 1 : 0 };
	if (act)
		model_derive(nic, dst, &spec);
	return MODEL_LOOSE;
}

static int nic_bind(const struct fuzz_record *r)
{
	struct node *packets, *nic;
	int err;

	if (!r->arg[2] || r->arg[2] >= EXO_EVENTS)
		return -EXO_E_RANGE;
	if ((err = model_find(r->actor, r->arg[0], EXO_KIND_PACKETS, EXO_R_CONTROL, &packets)) ||
	    (err = model_find(r->actor, r->arg[1], EXO_KIND_NIC, 0, &nic)))
		return err;
	return MODEL_LOOSE;
}

static int notify(const struct fuzz_record *r)
{
	struct node *c;
	int err = model_find(r->actor, r->arg[0], EXO_KIND_ENV, EXO_R_NOTIFY, &c);

	if (err)
		return err;
	return c->hi && !(c->flags & EXO_CAP_OBJECT) ? 0 : -EXO_E_ARG;
}

static int yield(const struct fuzz_record *r)
{
	struct node *c;
	int err = r->arg[0] ? model_any(r->actor, r->arg[0], &c) : 0;

	if (err || !r->arg[0])
		return err;
	if (c->kind != EXO_KIND_ENV && c->kind != EXO_KIND_GATE)
		return -EXO_E_KIND;
	return c->rights & (EXO_R_RUN | EXO_R_CALL) ? MODEL_LOOSE : -EXO_E_RIGHTS;
}

/* The claim is looked at; the rest is loose. */
static int first_only(const struct fuzz_record *r, unsigned kind, unsigned rights)
{
	struct node *c;
	int err = model_find(r->actor, r->arg[0], kind, rights, &c);

	return err ? err : MODEL_LOOSE;
}

static int ports(const struct fuzz_record *r)
{
	if (!r->arg[2] || r->arg[2] > 64)
		return -EXO_E_ARG;
	return r->result == -EXO_E_FAULT ? MODEL_LOOSE
					 : first_only(r, EXO_KIND_PORT, EXO_R_CONTROL);
}

static int space_update(const struct fuzz_record *r, const uint64_t op[6], bool act)
{
	struct node *c;
	int err = model_find(r->actor, r->arg[0], EXO_KIND_SPACE, EXO_R_CONTROL, &c);

	return err ? err : model_space(r->actor, c, op, act);
}

/* Which children are asked in one call is their order, which is not modelled. */
static int ask(const struct fuzz_record *r)
{
	struct node *c;
	int err = model_any(r->actor, r->arg[0], &c);

	if (err)
		return err;
	return r->arg[2] ? MODEL_LOOSE : 0;
}

static int vcpu_bind(const struct fuzz_record *r)
{
	struct node *vcpu, *space;
	int err;

	if ((err = model_find(r->actor, r->arg[0], EXO_KIND_VCPU, EXO_R_CONTROL, &vcpu)) ||
	    (err = model_find(r->actor, r->arg[1], EXO_KIND_SPACE, EXO_R_RUN, &space)))
		return err;
	return space->unit == EXO_SPACE_GUEST ? 0 : -EXO_E_KIND;
}

int64_t model_call(const struct fuzz_record *r, const uint64_t op[6], bool act)
{
	switch (r->what) {
	case NUMBER(version): return EXO_ABI_MAJOR << 16 | EXO_ABI_MINOR;
	case NUMBER(cap_narrow): return narrow(r, act);
	case NUMBER(cap_give): return give(r, act);
	case NUMBER(cap_drop): case NUMBER(cap_revoke): return end(r, act);
	case NUMBER(retype): return model_retype(r->actor, r, act);
	case NUMBER(space_update): return space_update(r, op, act);
	case NUMBER(env_control): return first_only(r, EXO_KIND_ENV, EXO_R_CONTROL);
	case NUMBER(env_notify): return notify(r);
	case NUMBER(env_notify_wait): {
		int err = notify(r);

		return err ? err : MODEL_LOOSE;
	}
	case NUMBER(env_alarm): return 0;
	case NUMBER(doorbell): return doorbell(r, act);
	case NUMBER(gate_make): return gate_make(r, act);
	case NUMBER(slot_set): return slot_set(r, act);
	case NUMBER(irq_bind): return irq_bind(r, act);
	case NUMBER(irq_ack): return first_only(r, EXO_KIND_IRQ, EXO_R_CONTROL);
	case NUMBER(port_io): return ports(r);
	case NUMBER(disk_bind): return disk_bind(r, act);
	case NUMBER(disk_kick): return disk_kick(r);
	case NUMBER(nic_narrow): return nic_narrow(r, act);
	case NUMBER(nic_bind): return nic_bind(r);
	case NUMBER(nic_kick): return first_only(r, EXO_KIND_PACKETS, EXO_R_CONTROL);
	case NUMBER(env_yield): return yield(r);
	case NUMBER(gate_call): return first_only(r, EXO_KIND_GATE, EXO_R_CALL);
	case NUMBER(gate_return): return -EXO_E_ARG;
	case NUMBER(cap_ask): return ask(r);
	case NUMBER(vcpu_bind): return vcpu_bind(r);
	case NUMBER(vcpu_run): return first_only(r, EXO_KIND_VCPU, EXO_R_RUN);
	case NUMBER(prog_load):
		if (r->arg[2] - 1 >= EXO_PROG_MAX)
			return -EXO_E_ARG;
		return first_only(r, EXO_KIND_PROG, EXO_R_CONTROL);
	case NUMBER(nic_prog): return first_only(r, EXO_KIND_NIC, EXO_R_READ);
	case NUMBER(pci_bind): case NUMBER(pci_vector):
		if (r->arg[2] >= EXO_EVENTS)
			return -EXO_E_RANGE;
		return first_only(r, EXO_KIND_PCI, EXO_R_CONTROL);
	case NUMBER(pci_ack): case NUMBER(pci_reset):
		return first_only(r, EXO_KIND_PCI, EXO_R_CONTROL);
	case NUMBER(pci_config): return MODEL_LOOSE;
	default: return MODEL_LOOSE;
	}
}
