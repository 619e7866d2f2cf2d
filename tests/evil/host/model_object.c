/* SPDX-License-Identifier: MIT */
/*
 * model_object.c - making objects of frames.
 */
#include "model.h"

#include <exo/prog.h>

#include <stdlib.h>

struct plan {
	struct node node;
	uint64_t frames;
	uint8_t use[3];         /* of its first frames; further ones as the last */
};

static int plan_make(unsigned actor, uint64_t kind, uint64_t arg, struct plan *p)
{
	static const struct { uint8_t kind, frames; uint16_t rights; uint8_t use[3]; } plans[] = {
		{ EXO_KIND_PT, EXO_FRAMES_PT, EXO_R_CONTROL,
		  { EXO_USE_PT, EXO_USE_SHADOW, EXO_USE_SHADOW } },
		{ EXO_KIND_SPACE, EXO_FRAMES_PT, EXO_R_CONTROL | EXO_R_RUN,
		  { EXO_USE_PT, EXO_USE_SHADOW, EXO_USE_SHADOW } },
		{ EXO_KIND_TABLE, EXO_FRAMES_TABLE, EXO_R_CONTROL | EXO_R_MAP, { EXO_USE_TABLE } },
		{ EXO_KIND_ENV, EXO_FRAMES_ENV,
		  EXO_R_CONTROL | EXO_R_NOTIFY | EXO_R_RUN | EXO_R_MAP | EXO_R_GIVE,
		  { EXO_USE_ENV, EXO_USE_ENVPAGE, EXO_USE_ENV } },
		{ EXO_KIND_RING, EXO_FRAMES_RING, EXO_R_CONTROL | EXO_R_MAP,
		  { EXO_USE_RING, EXO_USE_RINGPAGE, EXO_USE_RINGPAGE } },
		{ EXO_KIND_FILTER, EXO_FRAMES_FILTER, EXO_R_CONTROL, { EXO_USE_FILTER } },
		{ EXO_KIND_PACKETS, EXO_FRAMES_PACKETS, EXO_R_CONTROL | EXO_R_MAP,
		  { EXO_USE_RING, EXO_USE_RING, EXO_USE_RINGPAGE } },
		{ EXO_KIND_VCPU, EXO_FRAMES_VCPU, EXO_R_CONTROL | EXO_R_RUN | EXO_R_MAP,
		  { EXO_USE_VCPU, EXO_USE_VCPUPAGE, EXO_USE_VCPU } },
		{ EXO_KIND_PROG, 0, EXO_R_CONTROL | EXO_R_CALL, { EXO_USE_PROG } },
	};
	struct node *env;

	for (unsigned i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		if (plans[i].kind == kind) {
			p->frames = plans[i].frames;
			p->node = (struct node){ .kind = (uint8_t)kind, .rights = plans[i].rights };
			for (unsigned n = 0; n < 3; n++)
				p->use[n] = plans[i].use[n];
		}
	switch (kind) {
	case EXO_KIND_PT:
		p->node.unit = (uint32_t)arg;
		return arg >= 1 && arg <= 3 ? 0 : -EXO_E_ARG;
	case EXO_KIND_SPACE:
		p->node.unit = (uint32_t)arg;
		return arg < EXO_SPACE_USES ? 0 : -EXO_E_ARG;
	case EXO_KIND_TABLE:
		return model_find(actor, arg, EXO_KIND_ENV, EXO_R_CONTROL, &env);
	case EXO_KIND_PACKETS:
		p->frames += arg;
		return arg >= 1 && arg <= EXO_PACKET_DATA_MAX ? 0 : -EXO_E_ARG;
	case EXO_KIND_PROG:     /* in one chunk of the owner map, as far as this arena goes */
		p->frames = arg - 1 < EXO_PROG_MAX ? EXO_FRAMES_PROG(arg) : 0;
		return p->frames ? 0 : -EXO_E_ARG;
	case EXO_KIND_ENV: case EXO_KIND_RING: case EXO_KIND_FILTER: case EXO_KIND_VCPU:
		return arg ? -EXO_E_ARG : 0;
	default:
		return -EXO_E_KIND;
	}
}

static int frames_check(const struct node *src, uint64_t lo, uint64_t frames)
{
	if ((src->flags & EXO_CAP_SHARE) || model_has_share(src))
		return -EXO_E_SHARED;
	if (lo < src->lo || lo >= src->hi || frames > src->hi - lo)
		return -EXO_E_RANGE;
	if (!model_held(lo, lo + frames, src->sid))
		return -EXO_E_SPLIT;
	return model_mapped(lo, lo + frames) ? -EXO_E_MAPPED : 0;
}

static void place(unsigned actor, struct node *dst, const struct plan *p, uint64_t lo, uint64_t arg)
{
	struct node *env;

	dst->flags = EXO_CAP_OBJECT;
	dst->hi = lo + p->frames;
	for (uint64_t i = 0; i < p->frames; i++) {
		struct frame *f = model_frame(lo + i);

		*f = (struct frame){ .holder = dst->sid,
			.use = p->use[i < 3 ? i : 2] ? p->use[i < 3 ? i : 2] : p->use[0] };
		/* Of packets: two of the kernel's, then pages. */
		if (dst->kind == EXO_KIND_PACKETS)
			f->use = i < 2 ? EXO_USE_RING : EXO_USE_RINGPAGE;
	}
	if (dst->kind == EXO_KIND_TABLE && !model_find(actor, arg, EXO_KIND_ENV, 0, &env))
		model_table(lo, env->lo);
	if (dst->kind == EXO_KIND_PT || dst->kind == EXO_KIND_SPACE) {
		struct pt *t = calloc(1, sizeof(*t));

		t->level = dst->kind == EXO_KIND_PT ? dst->unit : 4;
		model.pt[lo - model.lo] = t;
	}
}

int model_retype(unsigned actor, const struct fuzz_record *r, bool act)
{
	struct plan p;
	struct node *src, *dst;
	uint64_t lo = r->arg[2];
	int err;

	/* A machine without SVM, or code that would lie in two chunks. */
	if ((r->arg[3] == EXO_KIND_VCPU && r->result == -EXO_E_ABSENT) ||
	    (r->arg[3] == EXO_KIND_PROG && r->result == -EXO_E_RANGE))
		return MODEL_LOOSE;
	if (r->arg[3] >= EXO_KIND_COUNT)
		return -EXO_E_KIND;
	if ((err = model_find(actor, r->arg[0], EXO_KIND_FRAME, 0, &src)) ||
	    (err = model_empty(model.env[actor], r->arg[1], &dst)))
		return err;
	if (!(src->rights & EXO_R_RETYPE))
		return -EXO_E_RIGHTS;
	if ((err = plan_make(actor, r->arg[3], r->arg[4], &p)))
		return err;
	/* Filters name each other by 32 bits. */
	if (r->arg[3] == EXO_KIND_FILTER && lo >> 32)
		return -EXO_E_RANGE;
	/* The names of slots have 32 bits, and 0 is none. */
	if (r->arg[3] == EXO_KIND_TABLE && (!lo || lo >= 1ul << 26))
		return -EXO_E_RANGE;
	if ((err = frames_check(src, lo, p.frames)) || !act)
		return err;
	p.node.lo = lo;
	model_derive(src, dst, &p.node);
	place(actor, dst, &p, lo, r->arg[4]);
	return 0;
}
