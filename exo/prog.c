/* SPDX-License-Identifier: MIT */
/*
 * prog.c - PROG objects: loading programs in bounded pieces, and who uses them.
 *
 * Invariant: the instructions that are checked and compiled are the object's own copy; code is
 * entered only when all of it was made.  A program that was loaded stays as it is until its object
 * ends.  tree_lock held.
 */
#include "prog.h"

#include <exo/space.h>

#include "calls.h"
#include "claim.h"
#include "dev/nic.h"
#include "filter.h"
#include "hold.h"
#include "kernel.h"
#include "sched.h"

#define PIECE 32u               /* instructions that are copied, checked or compiled by one call */
#define WIPE  8u                /* frames that are zeroed by one piece of an end */

static struct exo_insn *prog_insn(const struct prog *p)
{
	return pfn_to_virt(prog_pfn(p) + 2);
}

/* Behind the instructions: a word for each. */
static uint32_t *prog_words(const struct prog *p)
{
	return (uint32_t *)(prog_insn(p) + p->max);
}

int prog_place_check(uint64_t pfn, uint64_t max)
{
	if (max - 1 >= EXO_PROG_MAX)
		return -EXO_E_ARG;
	return prog_code_pfn(pfn, (uint32_t)max) / EXO_CHUNK_FRAMES ==
	       (prog_code_end(pfn, (uint32_t)max) - 1) / EXO_CHUNK_FRAMES ? 0 : -EXO_E_RANGE;
}

void prog_make(uint64_t pfn, uint32_t max)
{
	struct prog *p = prog_at(pfn);

	memset(p, 0, 2 * EXO_PAGE_SIZE);
	p->max = max;
	p->to_wipe = (uint32_t)(EXO_FRAMES_PROG(max) - 2);
}

/* --- loading --- */

static void load_begin(struct prog *p, uint32_t count)
{
	p->phase = PROG_COPY;
	p->copied = 0;
	p->pub.count = count;
	p->pub.reason = p->pub.refused_at = p->pub.cost = 0;
}

static int load_stop(struct prog *p, int error)
{
	p->phase = PROG_EMPTY;
	p->pub.count = 0;
	return error;
}

static int load_copy(struct prog *p, uint64_t user)
{
	uint32_t n = (uint32_t)min_u64(PIECE, p->pub.count - p->copied);
	struct exo_insn *to = prog_insn(p) + p->copied;

	if (user > EXO_USER_TOP || copy_in(to, user + p->copied * sizeof(*to), n * sizeof(*to)))
		return load_stop(p, -EXO_E_FAULT);
	memset(prog_words(p) + p->copied, 0, n * sizeof(uint32_t));
	p->copied += n;
	if (p->copied == p->pub.count) {
		p->phase = PROG_CHECK;
		p->check = (struct prog_check){ .count = p->pub.count };
	}
	return EXO_MORE;
}

static void compile_begin(struct prog *p)
{
	uint64_t lo = prog_code_pfn(prog_pfn(p), p->max), hi = prog_code_end(prog_pfn(p), p->max);

	p->phase = PROG_COMPILE;
	p->pub.cost = p->check.cost;
	p->made = (struct prog_compile){ .code = pfn_to_virt(lo),
		                         .code_bytes = (uint32_t)((hi - lo) * EXO_PAGE_SIZE) };
	prog_compile_start(&p->made, &p->check, false);
	p->made.code = NULL;
}

static int load_check(struct prog *p)
{
	bool good;

	p->check.insn = prog_insn(p);
	p->check.mark = prog_words(p);
	good = prog_check(&p->check, PIECE);
	p->check.insn = NULL;
	p->check.mark = NULL;
	if (!good) {
		p->pub.reason = p->check.reason;
		p->pub.refused_at = p->check.next;
		return load_stop(p, -EXO_E_PROGRAM);
	}
	if (p->check.next == p->pub.count)
		compile_begin(p);
	return EXO_MORE;
}

static int load_compile(struct prog *p)
{
	uint64_t code = prog_code_pfn(prog_pfn(p), p->max);
	bool done;

	p->made.insn = prog_insn(p);
	p->made.place = prog_words(p);
	p->made.code = pfn_to_virt(code);
	done = prog_compile(&p->made, PIECE);
	p->made.insn = NULL;
	p->made.place = NULL;
	p->made.code = NULL;
	if (!done)
		return EXO_MORE;
	p->pub.code_bytes = p->made.code_bytes - p->made.at;
	p->entry = code * EXO_PAGE_SIZE + p->made.at;
	p->phase = PROG_LOADED;
	p->pub.loaded = 1;
	prog_map(p);
	return 0;
}

static int load_piece(struct prog *p, uint64_t user, uint32_t count)
{
	if (p->phase == PROG_LOADED)
		return -EXO_E_BUSY;
	if (count > p->max)
		return -EXO_E_ROOM;
	if (p->phase == PROG_EMPTY || p->pub.count != count)
		load_begin(p, count);
	switch (p->phase) {
	case PROG_COPY:
		return load_copy(p, user);
	case PROG_CHECK:
		return load_check(p);
	default:
		return load_compile(p);
	}
}

int64_t sys_prog_load(struct env *e, uint64_t prog, uint64_t insns, uint64_t count)
{
	struct exo_cap *c;
	int err;

	if (count - 1 >= EXO_PROG_MAX)
		return -EXO_E_ARG;
	tree_take();
	err = claim_ready(e, prog, EXO_KIND_PROG, EXO_R_CONTROL, &c);
	if (!err)
		err = load_piece(prog_at(c->lo), insns, (uint32_t)count);
	tree_release();
	return err;
}

/* --- users --- */

/* The program of this name that may be bound now, or an error. */
static int prog_find_free(struct env *e, uint64_t name, uint64_t *pfn)
{
	struct exo_cap *c;
	int err = claim_ready(e, name, EXO_KIND_PROG, EXO_R_CALL, &c);

	if (err)
		return err;
	if (!prog_at(c->lo)->pub.loaded)
		return -EXO_E_USE;
	*pfn = c->lo;
	return prog_at(c->lo)->pub.bound ? -EXO_E_BUSY : 0;
}

/* Whoever sleeps by a predicate that goes wakes up. */
static void predicate_drop(struct env *e)
{
	if (!e->predicate)
		return;
	prog_free(e->predicate);
	__atomic_store_n(&e->predicate, 0, __ATOMIC_SEQ_CST);
	env_wake_asleep(e);
}

int prog_set_predicate(struct env *by, struct env *e, uint64_t name)
{
	uint64_t pfn = 0;
	int err = name ? prog_find_free(by, name, &pfn) : 0;

	if (err)
		return err;
	if (name && prog_at(pfn)->pub.count > EXO_PROG_WAKE_MAX)
		return -EXO_E_RANGE;
	predicate_drop(e);
	if (!name)
		return 0;
	prog_at(pfn)->pub.bound = e->pfn;
	prog_at(pfn)->of_filter = false;
	__atomic_store_n(&e->predicate, pfn, __ATOMIC_SEQ_CST);
	return 0;
}

/* exo_nic_prog: the claim's rings get what the program says from now on. */
static int nic_prog_check(struct env *e, uint64_t nic, uint64_t prog, struct exo_cap **nc,
                          uint64_t *pfn)
{
	int err = claim_ready(e, nic, EXO_KIND_NIC, EXO_R_READ, nc);

	if (err)
		return err;
	if ((*nc)->flags & EXO_CAP_SHARE)
		return -EXO_E_SHARED;
	if (filter_at((*nc)->lo)->pub.holder != slot_sid(*nc))
		return -EXO_E_SPLIT;
	if ((*nc)->unit >= nics.count)
		return -EXO_E_ABSENT;
	err = prog ? prog_find_free(e, prog, pfn) : 0;
	if (!err && prog && prog_at(*pfn)->pub.cost > EXO_PROG_PACKET_COST)
		err = -EXO_E_RANGE;
	return err;
}

static void nic_prog_set(const struct exo_cap *nic, uint64_t pfn)
{
	struct lock *lock = &nics.nic[nic->unit].lock;

	lock_take(lock);
	filter_prog_drop(filter_at(nic->lo));
	filter_at(nic->lo)->prog = pfn;
	lock_release(lock);
	if (pfn) {
		prog_at(pfn)->pub.bound = nic->lo;
		prog_at(pfn)->of_filter = true;
	}
}

int64_t sys_nic_prog(struct env *e, uint64_t nic, uint64_t prog)
{
	struct exo_cap *nc;
	uint64_t pfn = 0;
	int err;

	tree_take();
	err = nic_prog_check(e, nic, prog, &nc, &pfn);
	if (!err)
		nic_prog_set(nc, pfn);
	tree_release();
	return err;
}

void prog_end(uint64_t pfn)
{
	struct prog *p = prog_at(pfn);

	if (p->pub.bound && p->of_filter)
		nic_prog_set(slot_at(filter_at(p->pub.bound)->pub.holder), 0);
	else if (p->pub.bound)
		predicate_drop(env_at(p->pub.bound));
}

int prog_close(uint64_t pfn)
{
	struct prog *p = prog_at(pfn);
	uint32_t n = (uint32_t)min_u64(WIPE, p->to_wipe);

	if (p->mapped)
		prog_unmap(p);
	p->to_wipe -= n;
	memset(pfn_to_virt(pfn + 2 + p->to_wipe), 0, n * EXO_PAGE_SIZE);
	work_done(8 * (int)n);
	return p->to_wipe ? EXO_MORE : 0;
}
