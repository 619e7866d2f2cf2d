/* SPDX-License-Identifier: MIT */
/*
 * retype.c - making kernel objects of frames that an application holds.
 *
 * The object's node is a child of the FRAME claim and takes its frames out of it, as narrowing
 * does.  Only plain memory that nothing maps, pins or shares becomes an object.
 */
#include "retype.h"

#include <base/string.h>
#include <base/util.h>
#include <exo/space.h>

#include "claim.h"
#include "dev/nic.h"
#include "env.h"
#include "frame.h"
#include "prog.h"
#include "run.h"
#include "table.h"
#include "vcpu.h"
#include "x86/svm.h"

/* A table whose node lies in a table whose node lies in a table ...: they end one inside another.
 */
#define TABLE_DEPTH_MAX 24

/* Table frames must have names (sids) of 32 bits. */
#define TABLE_PFN_TOP (1ul << 26)

/* Frames of an object between two windows for interrupts. */
#define WINDOW_FRAMES 32

struct object_plan {
	struct claim_spec spec;
	uint64_t frames;
	enum exo_use use[4];
	uint64_t arg;
	uint64_t serves;        /* TABLE: id of the environment */
};

static int plan_table(struct env *e, exo_slot arg, const struct exo_cap *dst, struct object_plan *p)
{
	const struct exo_cap *holder = slot_at(frame_holder(slot_sid(dst) / EXO_SLOTS_PER_FRAME));
	struct exo_cap *env;
	int err = claim_find(e, arg, EXO_KIND_ENV, EXO_R_CONTROL, &env);

	if (err)
		return err;
	if (env->flags & EXO_CAP_ENDING)
		return -EXO_E_FROZEN;
	if (!p->spec.lo || p->spec.lo >= TABLE_PFN_TOP)
		return -EXO_E_RANGE;
	if (holder->unit >= TABLE_DEPTH_MAX)
		return -EXO_E_ROOM;
	p->serves = env_at(env->lo)->id;
	p->spec.unit = holder->unit + 1;
	p->spec.rights = EXO_R_CONTROL | EXO_R_MAP;
	p->frames = EXO_FRAMES_TABLE;
	p->use[0] = EXO_USE_TABLE;
	return 0;
}

static int plan_object(struct env *e, uint64_t arg, const struct exo_cap *dst,
		       struct object_plan *p)
{
	static const enum exo_use pt[4] = {EXO_USE_PT, EXO_USE_SHADOW, EXO_USE_SHADOW,
					   EXO_USE_SHADOW};
	static const enum exo_use env[3] = { EXO_USE_ENV, EXO_USE_ENVPAGE, EXO_USE_ENV };
	static const enum exo_use ring[3] = { EXO_USE_RING, EXO_USE_RINGPAGE, EXO_USE_RINGPAGE };
	static const enum exo_use vcpu[3] = { EXO_USE_VCPU, EXO_USE_VCPUPAGE, EXO_USE_VCPU };
	static const enum exo_use packets[4] = { EXO_USE_RING, EXO_USE_RING, EXO_USE_RINGPAGE,
						 EXO_USE_RINGPAGE };

	switch (p->spec.kind) {
	case EXO_KIND_TABLE:
		return plan_table(e, arg, dst, p);
	case EXO_KIND_PT:
		if (arg < 1 || arg > 3)
			return -EXO_E_ARG;
		p->spec.unit = arg;
		p->spec.rights = EXO_R_CONTROL;
		p->frames = EXO_FRAMES_PT;
		memcpy(p->use, pt, sizeof(pt));
		return 0;
	case EXO_KIND_SPACE:
		p->spec.unit = arg;
		p->spec.rights = EXO_R_CONTROL | EXO_R_RUN;
		p->frames = EXO_FRAMES_PT;
		memcpy(p->use, pt, sizeof(pt));
		return arg < EXO_SPACE_USES ? 0 : -EXO_E_ARG;
	case EXO_KIND_ENV:
		p->spec.rights = EXO_R_CONTROL | EXO_R_NOTIFY | EXO_R_RUN | EXO_R_MAP | EXO_R_GIVE;
		p->frames = EXO_FRAMES_ENV;
		memcpy(p->use, env, sizeof(env));
		return arg ? -EXO_E_ARG : 0;
	case EXO_KIND_RING:
		p->spec.rights = EXO_R_CONTROL | EXO_R_MAP;
		p->frames = EXO_FRAMES_RING;
		memcpy(p->use, ring, sizeof(ring));
		return arg ? -EXO_E_ARG : 0;
	case EXO_KIND_VCPU:
		p->spec.rights = EXO_R_CONTROL | EXO_R_RUN | EXO_R_MAP;
		p->frames = EXO_FRAMES_VCPU;
		memcpy(p->use, vcpu, sizeof(vcpu));
		if (!svm_present())
			return -EXO_E_ABSENT;
		return arg ? -EXO_E_ARG : 0;
	case EXO_KIND_PROG:
		p->spec.rights = EXO_R_CONTROL | EXO_R_CALL;
		p->frames = EXO_FRAMES_PROG(arg);
		for (unsigned i = 0; i < ARRAY_LEN(p->use); i++)
			p->use[i] = EXO_USE_PROG;
		return prog_place_check(p->spec.lo, arg);
	case EXO_KIND_FILTER:
		p->spec.rights = EXO_R_CONTROL;
		p->frames = EXO_FRAMES_FILTER;
		p->use[0] = EXO_USE_FILTER;
		if (p->spec.lo >> 32)           /* filters name each other by 32 bits */
			return -EXO_E_RANGE;
		return arg ? -EXO_E_ARG : 0;
	case EXO_KIND_PACKETS:
		p->spec.rights = EXO_R_CONTROL | EXO_R_MAP;
		p->frames = EXO_FRAMES_PACKETS + arg;
		memcpy(p->use, packets, sizeof(packets));
		return arg - 1 < EXO_PACKET_DATA_MAX ? 0 : -EXO_E_ARG;
	default:
		return -EXO_E_KIND;
	}
}

/* What frame n of the object is for; further ones are as the last that the plan names. */
static enum exo_use plan_use(const struct object_plan *p, uint64_t n)
{
	return p->use[min_u64(n, ARRAY_LEN(p->use) - 1)];
}

static int frames_check(const struct exo_cap *src, const struct object_plan *p)
{
	uint64_t lo = p->spec.lo;

	if (src->flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING))
		return -EXO_E_FROZEN;
	if (src->flags & EXO_CAP_SHARE)
		return -EXO_E_SHARED;
	if (src->child && (slot_at(src->child)->flags & EXO_CAP_SHARE))
		return -EXO_E_SHARED;
	if (lo < src->lo || !range_fits(lo - src->lo, p->frames, src->hi - src->lo))
		return -EXO_E_RANGE;
	if (!frame_range_held(lo, lo + p->frames, slot_sid(src)))
		return -EXO_E_SPLIT;
	for (uint64_t i = 0; i < p->frames; i++) {
		if (frame_use(lo + i) != EXO_USE_MEMORY)
			return -EXO_E_USE;
		if (frame_entry(lo + i)->pins)
			return -EXO_E_PINNED;
		if (i % WINDOW_FRAMES == WINDOW_FRAMES - 1)
			interrupts_window();
	}
	return frame_range_busy(lo, lo + p->frames) ? -EXO_E_MAPPED : 0;
}

/* New slots start at generations that no earlier table's names are likely to have had. */
static void slots_make(uint64_t pfn)
{
	static uint32_t start;
	struct exo_cap *slot = pfn_to_virt(pfn);

	memset(slot, 0, EXO_PAGE_SIZE);
	for (unsigned i = 0; i < EXO_SLOTS_PER_FRAME; i++)
		slot[i].gen = ((start += 0x9e3779b1) >> 2) | 1;
}

static void object_init(const struct object_plan *p, exo_sid node)
{
	uint64_t pfn = p->spec.lo;

	switch (p->spec.kind) {
	case EXO_KIND_TABLE:
		slots_make(pfn);
		frame_entry(pfn)->object = p->serves;
		break;
	case EXO_KIND_PT:
		table_make(pfn, p->spec.unit);
		break;
	case EXO_KIND_SPACE:
		table_make_space(pfn, p->spec.unit);
		break;
	case EXO_KIND_ENV:
		env_make(pfn, node);
		break;
	case EXO_KIND_VCPU:
		vcpu_make(pfn);
		break;
	case EXO_KIND_PROG:
		prog_make(pfn, (uint32_t)p->arg);
		break;
	case EXO_KIND_PACKETS:
		packets_make(pfn, p->frames - EXO_FRAMES_PACKETS);
		break;
	default:
		memset(pfn_to_virt(pfn), 0, p->frames * EXO_PAGE_SIZE);
	}
}

static void object_place(struct exo_cap *dst, const struct object_plan *p)
{
	dst->flags |= EXO_CAP_OBJECT;
	dst->hi = p->spec.lo + p->frames;
	for (uint64_t i = 0; i < p->frames; i++) {
		frame_set(p->spec.lo + i, slot_sid(dst), plan_use(p, i));
		if (i % WINDOW_FRAMES == WINDOW_FRAMES - 1)
			interrupts_window();
	}
	object_init(p, slot_sid(dst));
}

int retype(struct env *e, struct exo_cap *src, struct exo_cap *dst, uint64_t pfn,
	   enum exo_kind kind, uint64_t arg)
{
	struct object_plan p = { .spec = { .kind = kind, .lo = pfn }, .arg = arg };
	int err;

	if (!(src->rights & EXO_R_RETYPE))
		return -EXO_E_RIGHTS;
	if ((err = plan_object(e, arg, dst, &p)) < 0 || (err = frames_check(src, &p)) < 0)
		return err;
	claim_derive(src, dst, &p.spec);
	object_place(dst, &p);
	return 0;
}

void retype_root(struct exo_cap *dst, uint64_t pfn, enum exo_kind kind, uint64_t arg)
{
	struct object_plan p = { .spec = { .kind = kind, .lo = pfn }, .arg = arg };

	plan_object(NULL, arg, dst, &p);
	claim_root(dst, &p.spec);
	object_place(dst, &p);
}

void retype_first_table(uint64_t pfn, uint64_t env_id)
{
	struct claim_spec spec = { .kind = EXO_KIND_TABLE, .lo = pfn, .hi = pfn + 1,
		                   .rights = EXO_R_CONTROL | EXO_R_MAP };
	struct exo_cap *dst = pfn_to_virt(pfn);

	slots_make(pfn);
	claim_root(dst, &spec);
	dst->flags |= EXO_CAP_OBJECT;
	frame_set(pfn, slot_sid(dst), EXO_USE_TABLE);
	frame_entry(pfn)->object = env_id;
}
