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

/* What objects of a kind are made of, and which rights their makers get. */
static const struct object_kind {
	unsigned rights;
	uint16_t frames;        /* 0: no object; the argument may add to them */
	bool plain;             /* takes no argument */
	enum exo_use use[OBJECT_USES];  /* of the first frames; the rest are as the last */
} object_kinds[EXO_KIND_COUNT] = {
	[EXO_KIND_TABLE] = { EXO_R_CONTROL | EXO_R_MAP, EXO_FRAMES_TABLE, false,
		{ EXO_USE_TABLE } },
	[EXO_KIND_PT] = { EXO_R_CONTROL, EXO_FRAMES_PT, false,
		{ EXO_USE_PT, EXO_USE_SHADOW, EXO_USE_SHADOW, EXO_USE_SHADOW } },
	[EXO_KIND_SPACE] = { EXO_R_CONTROL | EXO_R_RUN, EXO_FRAMES_PT, false,
		{ EXO_USE_PT, EXO_USE_SHADOW, EXO_USE_SHADOW, EXO_USE_SHADOW } },
	[EXO_KIND_ENV] = { EXO_R_CONTROL | EXO_R_NOTIFY | EXO_R_RUN | EXO_R_MAP | EXO_R_GIVE,
		EXO_FRAMES_ENV, true, { EXO_USE_ENV, EXO_USE_ENVPAGE, EXO_USE_ENV } },
	[EXO_KIND_RING] = { EXO_R_CONTROL | EXO_R_MAP, EXO_FRAMES_RING, true,
		{ EXO_USE_RING, EXO_USE_RINGPAGE, EXO_USE_RINGPAGE } },
	[EXO_KIND_VCPU] = { EXO_R_CONTROL | EXO_R_RUN | EXO_R_MAP, EXO_FRAMES_VCPU, true,
		{ EXO_USE_VCPU, EXO_USE_VCPUPAGE, EXO_USE_VCPU } },
	[EXO_KIND_PROG] = { EXO_R_CONTROL | EXO_R_CALL, EXO_FRAMES_PROG(0), false,
		{ EXO_USE_PROG, EXO_USE_PROG, EXO_USE_PROG, EXO_USE_PROG } },
	[EXO_KIND_FILTER] = { EXO_R_CONTROL, EXO_FRAMES_FILTER, true, { EXO_USE_FILTER } },
	[EXO_KIND_PACKETS] = { EXO_R_CONTROL | EXO_R_MAP, EXO_FRAMES_PACKETS, false,
		{ EXO_USE_RING, EXO_USE_RING, EXO_USE_RINGPAGE, EXO_USE_RINGPAGE } },
};

struct object_plan {
	struct claim_spec spec;
	uint64_t frames;
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
	return 0;
}

static int plan_object(struct env *e, uint64_t arg, const struct exo_cap *dst,
		       struct object_plan *p)
{
	const struct object_kind *kind = &object_kinds[p->spec.kind];

	if (!kind->frames)
		return -EXO_E_KIND;
	p->spec.rights = kind->rights;
	p->frames = kind->frames;
	if (kind->plain && arg)
		return -EXO_E_ARG;
	switch (p->spec.kind) {
	case EXO_KIND_TABLE:
		return plan_table(e, arg, dst, p);
	case EXO_KIND_PT:
		p->spec.unit = arg;
		return arg >= 1 && arg <= 3 ? 0 : -EXO_E_ARG;
	case EXO_KIND_SPACE:
		p->spec.unit = arg;
		return arg < EXO_SPACE_USES ? 0 : -EXO_E_ARG;
	case EXO_KIND_VCPU:
		return svm_present() ? 0 : -EXO_E_ABSENT;
	case EXO_KIND_PROG:
		p->frames = EXO_FRAMES_PROG(arg);
		return prog_place_check(p->spec.lo, arg);
	case EXO_KIND_FILTER:           /* filters name each other by 32 bits */
		return p->spec.lo >> 32 ? -EXO_E_RANGE : 0;
	case EXO_KIND_PACKETS:
		p->frames += arg;
		return arg - 1 < EXO_PACKET_DATA_MAX ? 0 : -EXO_E_ARG;
	default:
		return 0;
	}
}

static int frames_check(const struct exo_cap *src, const struct object_plan *p)
{
	uint64_t lo = p->spec.lo;
	uint32_t maps = 0;
	int err;

	if (src->flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING))
		return -EXO_E_FROZEN;
	if ((src->flags & EXO_CAP_SHARE) || claim_has_shares(src))
		return -EXO_E_SHARED;
	if ((err = claim_holds(src, lo, p->frames)) < 0)
		return err;
	for (uint64_t i = 0; i < p->frames; i++) {
		const struct exo_frame *f = frame_entry(lo + i);

		if (!f || frame_entry_use(f, lo + i) != EXO_USE_MEMORY)
			return -EXO_E_USE;
		if (f->pins)
			return -EXO_E_PINNED;
		maps |= f->maps | frames.chunks[(lo + i) / EXO_CHUNK_FRAMES].large;
		if (i % WINDOW_FRAMES == WINDOW_FRAMES - 1)
			interrupts_window();
	}
	return maps ? -EXO_E_MAPPED : 0;
}

/*
 * New slots start at generations that no earlier table's names are likely to have had, each at one
 * of its own: a name that is one off is stale.  Far below GEN_RETIRED.
 */
#define GEN_STEP 0x9e37u
static void slots_make(uint64_t pfn)
{
	static uint32_t start;
	struct exo_cap *slot = pfn_to_virt(pfn);
	uint32_t gen = ((start += 0x9e3779b1) >> 2) | 1;

	if (!frame_was_zero(pfn))
		memset(slot, 0, EXO_PAGE_SIZE);
	for (unsigned i = 0; i < EXO_SLOTS_PER_FRAME; i += 4, slot += 4, gen += 4 * GEN_STEP) {
		slot[0].gen = gen;
		slot[1].gen = gen + GEN_STEP;
		slot[2].gen = gen + 2 * GEN_STEP;
		slot[3].gen = gen + 3 * GEN_STEP;
	}
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
	frames_use(p->spec.lo, dst->hi, slot_sid(dst), object_kinds[p->spec.kind].use);
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

void retype_first_table(uint64_t pfn)
{
	struct claim_spec spec = { .kind = EXO_KIND_TABLE, .lo = pfn, .hi = pfn + 1,
		                   .rights = EXO_R_CONTROL | EXO_R_MAP };
	struct exo_cap *dst = pfn_to_virt(pfn);

	slots_make(pfn);
	claim_root(dst, &spec);
	dst->flags |= EXO_CAP_OBJECT;
	frame_set(pfn, slot_sid(dst), EXO_USE_TABLE);
}
