/* SPDX-License-Identifier: MIT */
/*
 * claims_model.h - random calls on claims, frames and page tables, against a model.
 *
 * The model is one array: who holds each frame, by the simplest reading of the rules.  After every
 * call the owner map must say the same, the derivation tree must be one, and binding lists and
 * page-table entries must be a bijection.  Environments, rings and slices are fakes here.
 *
 * Who includes it defines pick(n), a number below n, and has CHECK, CHECK_EQ and test_fail.
 */
#ifndef CLAIMS_MODEL_H
#define CLAIMS_MODEL_H

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "claim.h"
#include "cpu.h"
#include "dev/disk.h"
#include "env.h"
#include "frame.h"
#include "dev/irq.h"
#include "prog.h"
#include "retype.h"
#include "run.h"
#include "slices.h"
#include "space.h"
#include "table.h"
#include "vcpu.h"
#include "x86/svm.h"
#include "tlb.h"
#include "tree_fake.h"
#include "trace.h"

static unsigned pick(unsigned n);

#define FRAMES 4096u            /* of the arena; 8 chunks */
#define RAM_LO 64u              /* the root claim is [RAM_LO, FRAMES) */
#define TABLES 8u               /* table frames of the environment, from frame 8 on */
#define SLOTS (TABLES * EXO_SLOTS_PER_FRAME)
#define TABLE_PFN 8u
#define USER_PFN 2u

uint8_t fake_ram[FRAMES * EXO_PAGE_SIZE] __attribute__((aligned(4096)));
static struct exo_chunk chunks[FRAMES / EXO_CHUNK_FRAMES];
static struct exo_frame fine[FRAMES + EXO_CHUNK_FRAMES];
static struct exo_sid_of { exo_sid sid; } holder[FRAMES];       /* the model */
static uint64_t upper_half[512];
uint64_t *kernel_pml4 = upper_half;
static struct env *env;
static exo_slot root_name, space_name;

/* --- what the tested parts need of the rest of the kernel --- */
void tlb_note(uint64_t s, uint64_t va, uint64_t n, uint64_t b, bool lost)
{
	(void)s, (void)va, (void)n, (void)b, (void)lost;
}
void spin_wait(void) { abort(); }       /* nobody else holds a lock or a list */
void lock_wait(struct lock *l) { (void)l, abort(); }
void tlb_note_end(uint64_t s, uint64_t va, uint64_t b) { (void)s, (void)va, (void)b; }
void tlb_note_all(uint64_t space) { (void)space; }
void tlb_flush_noted(void) {}
int env_stop(struct env *e, uint32_t reason) { (void)e, (void)reason; return 0; }
void env_leave_space(struct env *e) { (void)e; }
int env_end(struct env *e) { (void)e; return 0; }
void env_make(uint64_t pfn, exo_sid object)
{
	(void)object;
	for (unsigned i = 0; i < EXO_FRAMES_ENV; i++)
		frame_entry(pfn + i)->object = 0;
	memset(env_at(pfn), 0, EXO_FRAMES_ENV * EXO_PAGE_SIZE);
	env_at(pfn)->id = 1ul << 32 | pfn;
}
void env_wipe(uint64_t pfn) { memset(pfn_to_virt(pfn), 0, EXO_FRAMES_ENV * EXO_PAGE_SIZE); }
bool claim_is_anothers(const struct exo_cap *c) { (void)c; return pick(2); }
void claim_tell_taken(struct exo_cap *c) { (void)c; }
uint32_t grace_ticket(void) { return 1; }
int grace_over(uint32_t ticket) { (void)ticket; return (int)pick(2); }
int block_unbind(struct exo_cap *c) { (void)c; return 0; }
int ring_end(uint64_t pfn) { (void)pfn; return 0; }
int packets_end(uint64_t pfn) { (void)pfn; return 0; }
void interrupts_window(void) { }
void packets_make(uint64_t pfn, uint64_t frames_) { (void)pfn; (void)frames_; }
int prog_place_check(uint64_t pfn, uint64_t max) { (void)pfn, (void)max; return -EXO_E_ARG; }
void prog_make(uint64_t pfn, uint32_t max) { (void)pfn, (void)max; }
void prog_end(uint64_t pfn) { (void)pfn; }
int prog_close(uint64_t pfn) { (void)pfn; return 0; }
int filter_end(uint64_t pfn) { (void)pfn; return 0; }
bool svm_present(void) { return false; }
void vcpu_make(uint64_t pfn) { (void)pfn; }
int vcpu_end(uint64_t pfn) { (void)pfn; return 0; }
int vcpu_unbind(const struct exo_cap *c) { (void)c; return 0; }
int vcpus_part(uint64_t space) { (void)space; return 0; }
int nic_unbind(struct exo_cap *c) { (void)c; return 0; }
int nic_give_check(const struct exo_cap *c) { (void)c; return 0; }
void nic_given(struct exo_cap *c) { (void)c; }
void nic_forget(struct exo_cap *c) { (void)c; }
void nic_inherit(struct exo_cap *kid, const struct exo_cap *c, const struct exo_cap *heir)
{
	(void)kid;
	(void)c;
	(void)heir;
}
void nics_expire(void) { }
void event_release(struct env *e, unsigned entry) { (void)e, (void)entry; }
void disks_expire(void) { }
void irq_unbind(uint32_t gsi) { (void)gsi; }
int pci_give_check(const struct exo_cap *parent) { (void)parent; return 0; }
int pci_map_check(const struct exo_cap *c, uint64_t pfn, uint64_t count)
{
	(void)c, (void)pfn, (void)count;
	return -EXO_E_RANGE;
}
void pci_use(const struct exo_cap *c) { (void)c; }
int pci_unbind(const struct exo_cap *c) { (void)c; return 0; }
void pci_space_end(uint64_t pfn) { (void)pfn; }
void trace_record(enum exo_trace_kind kind, uint64_t a, uint32_t b)
{
	(void)kind, (void)a, (void)b;
}
int slices_check(uint32_t c, uint64_t lo, uint64_t hi, exo_sid s)
{
	(void)c, (void)lo, (void)hi, (void)s;
	return 0;
}
void slices_move(uint32_t c, uint64_t lo, uint64_t hi, exo_sid f, exo_sid t)
{
	(void)c, (void)lo, (void)hi, (void)f, (void)t;
}
void slices_unbind(const struct exo_cap *c) { (void)c; }

/* --- set up: one environment with its tables, one space, one root claim for all memory --- */
/* The kernel finds what is this CPU's by the GS register (x86-64 ABI: free in a program). */
static void cpu_here(void)
{
	enum { SET_GS = 0x1001 };       /* of arch_prctl */

	the_cpu = (struct cpu){ .self = &the_cpu };
	if (syscall(SYS_arch_prctl, SET_GS, &the_cpu))
		abort();
}

static void arena_make(void)
{
	struct claim_spec ram = { .kind = EXO_KIND_FRAME, .lo = RAM_LO, .hi = FRAMES,
		.rights = EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_R_RETYPE };
	struct exo_cap *c;

	cpu_here();
	/* Above RAM_LO lies only what the frames of an object are made to hold. */
	memset(fake_ram, 0, RAM_LO * EXO_PAGE_SIZE);
	memset(chunks, 0, sizeof(chunks));
	memset(fine, 0, sizeof(fine));
	memset(holder, 0, sizeof(holder));
	frames = (struct frame_map){ chunks, fine, FRAMES };
	for (unsigned i = 0; i < FRAMES / EXO_CHUNK_FRAMES; i++)
		chunks[i] = (struct exo_chunk){ .fine = i + 1, .mixed = 1 };
	for (unsigned i = 0; i < FRAMES; i++)
		frame_entry(i)->use = i < RAM_LO ? EXO_USE_KERNEL : EXO_USE_MEMORY;
	env = env_at(USER_PFN);
	env->pfn = USER_PFN;
	env->id = 7ul << 32 | USER_PFN;
	memset(env->table_hit, 0xff, sizeof(env->table_hit));
	for (unsigned i = 0; i < TABLES; i++) {
		retype_first_table(TABLE_PFN + i);
		frame_entry(TABLE_PFN + i)->object = env->id;
	}
	c = slot_at(TABLE_PFN * EXO_SLOTS_PER_FRAME + 1);
	claim_root(c, &ram);
	root_name = slot_name(c);
	for (unsigned i = RAM_LO; i < FRAMES; i++)
		holder[i].sid = slot_sid(c);
	c = slot_at(TABLE_PFN * EXO_SLOTS_PER_FRAME + 2);
	retype_root(c, 32, EXO_KIND_SPACE, 0);
	env->space = 32;
	space_name = slot_name(c);
}

static struct exo_cap *slot_number(unsigned n)
{
	return slot_at(TABLE_PFN * EXO_SLOTS_PER_FRAME + n);
}

/* --- invariants --- */
static void holders_check(void)
{
	for (unsigned pfn = RAM_LO; pfn < FRAMES; pfn++)
		if (frame_holder(pfn) != holder[pfn].sid) {
			test_fail("frame %u is held by %x, the model says %x", pfn,
				  frame_holder(pfn), holder[pfn].sid);
			return;
		}
}

static void tree_check(void)
{
	for (unsigned n = 0; n < SLOTS; n++) {
		const struct exo_cap *c = slot_number(n);
		exo_sid prev = 0;
		bool split_seen = false;

		if (c->kind == EXO_KIND_NONE)
			continue;
		for (exo_sid kid = c->child; kid; prev = kid, kid = slot_at(kid)->next) {
			const struct exo_cap *k = slot_at(kid);

			CHECK_EQ(k->parent, slot_sid(c));
			CHECK_EQ(k->prev, prev);
			CHECK(k->kind != EXO_KIND_NONE);
			CHECK(!(k->rights & ~c->rights) || k->kind != c->kind);
			CHECK(!(split_seen && (k->flags & EXO_CAP_SHARE)));
			split_seen |= !(k->flags & EXO_CAP_SHARE);
		}
	}
}

static unsigned maps_seen[FRAMES];
static unsigned leaves_seen;

static void table_count(uint64_t pfn, unsigned level)
{
	const uint64_t *t = pfn_to_virt(pfn);

	for (unsigned i = 0; i < (level == 4 ? 255 : 512); i++) {
		if (!(t[i] & PTE_P))
			continue;
		if (entry_is_leaf(t[i], level)) {
			leaves_seen++;
			if (level == 1)
				maps_seen[pte_pfn(t[i])]++;
		} else {
			table_count(pte_pfn(t[i]), level - 1);
		}
	}
}

/* Tables that hang nowhere can hold mappings too. */
static void loose_tables_count(void)
{
	for (unsigned n = 0; n < SLOTS; n++) {
		const struct exo_cap *c = slot_number(n);

		if (c->kind == EXO_KIND_PT && (c->flags & EXO_CAP_OBJECT) &&
		    !*table_link(c->lo, TABLE_PARENT))
			table_count(c->lo, c->unit);
	}
}

/* Entries on a claim's list; each must say that it is. */
static unsigned list_check(const struct exo_cap *c)
{
	unsigned n = 0;
	uint64_t prev = 0;

	for (uint64_t id = c->bind; id && n <= leaves_seen; n++) {
		const uint64_t *pte = phys_to_virt(id * 8);

		CHECK_EQ(shadow_of(pte)->claim, slot_sid(c));
		CHECK_EQ(shadow_of(pte)->prev, prev);
		CHECK(*pte & PTE_P);
		prev = id;
		id = shadow_of(pte)->next;
	}
	return n;
}

static void bindings_check(void)
{
	unsigned listed = 0;

	memset(maps_seen, 0, sizeof(maps_seen));
	leaves_seen = 0;
	table_count(env->space, 4);
	loose_tables_count();
	for (unsigned n = 0; n < SLOTS; n++)
		if (slot_number(n)->kind == EXO_KIND_FRAME)
			listed += list_check(slot_number(n));
	CHECK_EQ(listed, leaves_seen);
	for (unsigned pfn = RAM_LO; pfn < FRAMES; pfn++)
		if (frame_use(pfn) == EXO_USE_MEMORY && frame_entry(pfn)->maps != maps_seen[pfn])
			test_fail("frame %u: %u maps counted, %u seen", pfn, frame_entry(pfn)->maps,
				  maps_seen[pfn]);
}

/* Each claim knows how many frames it holds. */
static void units_check(void)
{
	static unsigned held[TABLES * EXO_SLOTS_PER_FRAME];
	unsigned first = TABLE_PFN * EXO_SLOTS_PER_FRAME;

	memset(held, 0, sizeof(held));
	for (unsigned pfn = RAM_LO; pfn < FRAMES; pfn++)
		if (frame_use(pfn) == EXO_USE_MEMORY)
			held[frame_holder(pfn) - first]++;
	for (unsigned n = 0; n < SLOTS; n++)
		if (slot_number(n)->kind == EXO_KIND_FRAME)
			CHECK_EQ(slot_number(n)->unit, held[n]);
}

static void all_check(void)
{
	units_check();
	holders_check();
	tree_check();
	bindings_check();
}

/* --- the model --- */
static bool model_held(uint64_t lo, uint64_t hi, exo_sid sid)
{
	for (; lo < hi; lo++)
		if (holder[lo].sid != sid)
			return false;
	return true;
}

static void model_move(exo_sid from, exo_sid to)
{
	for (unsigned pfn = RAM_LO; pfn < FRAMES; pfn++)
		if (holder[pfn].sid == from)
			holder[pfn].sid = to;
}

static bool has_share(const struct exo_cap *c)
{
	for (exo_sid kid = c->child; kid; kid = slot_at(kid)->next)
		if (slot_at(kid)->flags & EXO_CAP_SHARE)
			return true;
	return false;
}

static bool frames_mapped(uint64_t lo, uint64_t hi)
{
	for (; lo < hi; lo++)
		if (frame_entry(lo)->maps)
			return true;
	return false;
}

static bool model_part_ok(const struct exo_cap *c, const struct claim_spec *s)
{
	if (s->rights & ~(unsigned)c->rights || s->lo >= s->hi || s->lo < c->lo || s->hi > c->hi)
		return false;
	if (s->share && (s->rights & EXO_R_RETYPE))
		return false;
	if (c->flags & EXO_CAP_SHARE)
		return s->share;
	if (!s->share && (has_share(c) || frames_mapped(s->lo, s->hi)))
		return false;
	return model_held(s->lo, s->hi, slot_sid(c));
}

/* --- random calls --- */
static struct exo_cap *pick_live(enum exo_kind kind)
{
	for (unsigned i = 0; i < 200; i++) {
		struct exo_cap *c = slot_number(pick(SLOTS));

		if (c->kind == kind && (pick(8) || c->parent))
			return c;
	}
	return slot_at(exo_slot_sid(root_name));
}

static struct exo_cap *pick_empty(void)
{
	struct exo_cap *c;

	do
		c = slot_number(pick(SLOTS));
	while (c->kind != EXO_KIND_NONE);
	return c;
}

static uint64_t pick_in(const struct exo_cap *c)
{
	uint64_t v = c->lo + pick(c->hi - c->lo + 2);

	return v ? v - pick(2) : 0;
}

static void try_narrow(void)
{
	struct exo_cap *c = pick_live(EXO_KIND_FRAME), *dst = pick_empty();
	struct claim_spec s = { .kind = EXO_KIND_FRAME, .lo = pick_in(c), .share = !pick(3) };
	bool ok;

	s.hi = pick(3) ? s.lo + pick(40) : pick_in(c);
	s.rights = pick(4) ? c->rights & ~(s.share ? EXO_R_RETYPE : 0u) : pick(16);
	ok = model_part_ok(c, &s);
	if (claim_derive_check(c, &s)) {
		CHECK(!ok);
		return;
	}
	CHECK(ok);
	claim_derive(c, dst, &s);
	for (uint64_t pfn = s.lo; !s.share && pfn < s.hi; pfn++)
		holder[pfn].sid = slot_sid(dst);
}

static void try_retype(void)
{
	static const struct { enum exo_kind kind; unsigned frames;
	} kinds[] = {
		{EXO_KIND_PT, EXO_FRAMES_PT},
		{EXO_KIND_ENV, EXO_FRAMES_ENV},
		{EXO_KIND_RING, EXO_FRAMES_RING},
	};
	struct exo_cap *c = pick_live(EXO_KIND_FRAME), *dst = pick_empty();
	unsigned k = pick(3), frames_each = kinds[k].frames;
	uint64_t pfn = pick_in(c);
	bool ok = pfn >= c->lo && pfn + frames_each <= c->hi && !(c->flags & EXO_CAP_SHARE) &&
		  !has_share(c) && (c->rights & EXO_R_RETYPE) &&
		  model_held(pfn, pfn + frames_each, slot_sid(c)) &&
		  !frames_mapped(pfn, pfn + frames_each);
	int err = retype(env, c, dst, pfn, kinds[k].kind, k == 0 ? 1 + pick(3) : 0);

	CHECK_EQ(!err, ok);
	for (unsigned i = 0; !err && i < frames_each; i++)
		holder[pfn + i].sid = slot_sid(dst);
}

static uint64_t pick_va(void)
{
	return (uint64_t)pick(2) << 39 | (uint64_t)pick(2) << 30 | (uint64_t)pick(2) << 21 |
	       pick(8) << 12;
}

/* Change the space as a call does: with a share of tree_lock where that is enough. */
static void space_change(const struct exo_map_op *op)
{
	if (space_apply(env, env->space, op, false) == SPACE_WHOLE)
		space_apply(env, env->space, op, true);
}

/* Hang tables where they are missing, as far as the root claim still has the frames. */
static void tables_link(void)
{
	struct exo_cap *root = slot_at(exo_slot_sid(root_name));
	bool big;

	for (uint64_t i = 0; i < 8; i++) {
		uint64_t va = (i >> 2) << 39 | (i >> 1 & 1) << 30 | (i & 1) << 21;

		for (unsigned level = 3; level; level--) {
			struct exo_map_op op = { .va = va, .op = EXO_LINK };
			struct exo_cap *dst = pick_empty();
			uint64_t pfn = RAM_LO + 4 * pick((FRAMES - RAM_LO) / 4);

			if (table_walk(env->space, va, level, &big) ||
			    retype(env, root, dst, pfn, EXO_KIND_PT, level))
				continue;
			for (unsigned n = 0; n < EXO_FRAMES_PT; n++)
				holder[pfn + n].sid = slot_sid(dst);
			op.slot = slot_name(dst);
			space_change(&op);
		}
	}
}

static void try_map(void)
{
	struct exo_cap *c = pick_live(pick(12) ? EXO_KIND_FRAME : EXO_KIND_PT);
	struct exo_map_op op = {
		.slot = slot_name(c), .va = pick_va(), .pfn = pick_in(c), .pages = 1 + pick(5)};

	if (c->kind == EXO_KIND_PT) {
		op.op = EXO_LINK;
	} else {
		op.op = pick(3) ? EXO_MAP : pick(2) ? EXO_UNMAP : EXO_PROTECT;
		op.prot = EXO_R_READ | (pick(2) ? EXO_R_WRITE : 0);
	}
	if (!pick(60)) {
		op.op = EXO_UNLINK;
		op.prot = 1 + pick(3);
	}
	space_change(&op);
}

/* Descendants of c give what they hold to c. */
static void model_revoke(const struct exo_cap *c)
{
	for (exo_sid kid = c->child; kid; kid = slot_at(kid)->next) {
		model_revoke(slot_at(kid));
		model_move(kid, slot_sid(c));
	}
}

static int until_done(int (*piece)(struct exo_cap *), struct exo_cap *c)
{
	uint32_t gen = c->gen;

	for (unsigned i = 0; i < 100000; i++) {
		int result;

		work_left = 1 + pick(40);
		result = piece(c);
		if (result != EXO_MORE)
			return result;
		CHECK(c->gen == gen && (c->flags & EXO_CAP_FROZEN));
	}
	return EXO_MORE;
}

static void try_end(void)
{
	struct exo_cap *c = slot_number(pick(SLOTS));
	uint32_t gen = c->gen;

	if (c->kind == EXO_KIND_NONE || (!c->parent && pick(200)) ||
	    (c->kind == EXO_KIND_PT && pick(8)))
		return;
	if (pick(2)) {
		model_revoke(c);
		CHECK_EQ(until_done(claim_revoke, c), 0);
		CHECK(!c->child && c->gen == gen);
		return;
	}
	if (!c->parent) {
		CHECK_EQ(claim_drop(c), -EXO_E_ROOT);
		return;
	}
	if (c->flags & EXO_CAP_OBJECT)
		model_revoke(c);
	model_move(slot_sid(c), c->parent);
	CHECK_EQ(until_done(claim_drop, c), 0);
	CHECK(c->kind == EXO_KIND_NONE && c->gen == gen + 1);
}

/* One random call. */
static void step_random(void)
{
	unsigned what = pick(24);

	if (what < 6)
		try_narrow();
	else if (what < 8)
		try_retype();
	else if (what < 22)
		try_map();
	else
		try_end();
}

/* Everything comes back to the root. */
static void end_random(void)
{
	CHECK_EQ(until_done(claim_revoke, slot_at(exo_slot_sid(root_name))), 0);
	for (unsigned pfn = RAM_LO; pfn < FRAMES; pfn++)
		if (frame_holder(pfn) != exo_slot_sid(root_name) ||
		    frame_use(pfn) != EXO_USE_MEMORY)
			test_fail("frame %u did not come back", pfn);
}

#endif
