/* SPDX-License-Identifier: MIT */
/*
 * prog.h - PROG objects: programs of applications that the kernel runs, loaded and bound.
 *
 * Compiled code is executed through the code window: a range of the kernel's half in which the
 * frame with number n stands at CODE_VA + n pages, executable and never writable.  Only frames of
 * loaded programs are there.  The direct map, where code is written while a program is loaded, is
 * never executable.  A program is bound to one user at a time.
 *
 * [t] fields are written with tree_lock held.
 */
#ifndef EXO_PROG_INTERNAL_H
#define EXO_PROG_INTERNAL_H

#include <exo/prog.h>

#include "env.h"
#include "filter.h"
#include "prog/check.h"
#include "x86/prog_compile.h"

#define CODE_VA 0xffffd00000000000ul

enum prog_phase { PROG_EMPTY, PROG_COPY, PROG_CHECK, PROG_COMPILE, PROG_LOADED };

/* The first frame of a PROG object; no kernel address stays in it between calls. */
struct prog {
	struct exo_prog pub;            /* [t] */
	uint32_t max;                   /* [I] instructions it has room for */
	uint32_t phase;                 /* [t] enum prog_phase */
	uint32_t copied;                /* [t] instructions */
	uint32_t to_wipe;               /* [t] frames, when it ends */
	bool     mapped;                /* [t] it is in the code window */
	bool     of_filter;             /* [t] pub.bound is a filter, not an environment */
	uint64_t entry;                 /* [t] offset in the code window */
	uint64_t next, prev;            /* [t] programs in the same 2 MiB of it, pfn, 0: none */
	struct prog_check check;        /* [t] */
	struct prog_compile made;       /* [t] */
};
_Static_assert(sizeof(struct prog) <= EXO_PAGE_SIZE, "prog: one frame");

static inline struct prog *prog_at(uint64_t pfn) { return pfn_to_virt(pfn); }
static inline uint64_t prog_pfn(const struct prog *p)
{
	return virt_to_phys(p) >> EXO_PAGE_SHIFT;
}

/*
 * Run a loaded program on kernel memory.  Who got its name without a lock that its end takes relies
 * on the grace period before its code goes.
 */
static inline uint64_t prog_run(uint64_t pfn, const void *input, uint64_t bytes)
{
	prog_entry *entry = (prog_entry *)(CODE_VA + prog_at(pfn)->entry);

	return entry(input, bytes);
}

/* The code window is there from now on (boot only, before the first space is made). */
void prog_window_start(void);

/* Put a program's code into the window; take it out, on all CPUs.  tree_lock held. */
void prog_map(struct prog *p);
void prog_unmap(struct prog *p);

/* The frame where its code begins, if its frames begin at pfn and it has room for max. */
static inline uint64_t prog_code_pfn(uint64_t pfn, uint32_t max)
{
	return pfn + 2 + EXO_PROG_WORK_FRAMES(max);
}
static inline uint64_t prog_code_end(uint64_t pfn, uint32_t max)
{
	return pfn + EXO_FRAMES_PROG(max);
}

/* May a PROG object of room for max instructions begin at this frame?  ARG, RANGE. */
int prog_place_check(uint64_t pfn, uint64_t max);

/* Make its frames a PROG object with nothing loaded. */
void prog_make(uint64_t pfn, uint32_t max);

/* Part a program that ends from who uses it: nobody runs it anew.  tree_lock held. */
void prog_end(uint64_t pfn);

/* A piece of ending it after the grace period: out of the window, all but two frames zeroed. */
int prog_close(uint64_t pfn);

/* Its user lets it go. */
static inline void prog_free(uint64_t pfn)
{
	prog_at(pfn)->pub.bound = 0;
}

/* The program, if any, decides about a filter's packets no more.  Also the NIC's lock is held. */
static inline void filter_prog_drop(struct filter *f)
{
	if (f->prog)
		prog_free(f->prog);
	f->prog = 0;
}

/* Give an environment its predicate, or with 0 none.  tree_lock held. */
int prog_set_predicate(struct env *by, struct env *e, uint64_t name);

/* Does the environment's predicate hold?  One that is gone does. */
static inline bool prog_predicate_holds(const struct env *e)
{
	uint64_t pfn = __atomic_load_n(&e->predicate, __ATOMIC_ACQUIRE);

	return !pfn || prog_run(pfn, e->page, sizeof(*e->page));
}

#endif
