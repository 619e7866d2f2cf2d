/* SPDX-License-Identifier: MIT */
/*
 * core.h - what the parts of the library share behind its public headers.
 *
 * The core: frames, slots, page tables, regions.  All of it is guarded by one lock and lives in
 * memory that is always mapped, since the page-fault handler uses it.
 *
 * Invariant: nothing that runs under the core lock faults.
 */
#ifndef EXOS_CORE_H
#define EXOS_CORE_H

#include <base/util.h>
#include <exo/env.h>
#include <exo/types.h>
#include <exos/lock.h>
#include <exos/start.h>
#include <stdbool.h>

struct exo_cap;
struct exos_worker;

/* The library's own part of each environment page, at its end. */
#define EXOS_LOCAL_OFFSET 0x5c0u        /* within `user` */
struct exos_local {
	uint64_t worker_rsp;            /* top of a worker's first stack */
	struct exos_worker *worker;     /* NULL in the program's first environment */
	uint32_t switch_depth;          /* nesting of exos_switch_off */
	uint32_t switch_owed;           /* a thread switch came meanwhile */
	uint64_t spare[5];
};
_Static_assert(sizeof(struct exos_local) == 64, "exos_local ends the page");
_Static_assert(EXOS_LOCAL_OFFSET + sizeof(struct exos_local) == 0x600, "exos_local ends the page");
_Static_assert(sizeof(struct exos_start) <= EXOS_LOCAL_OFFSET, "exos_start and exos_local");

extern struct exo_env_page *exos_page_first;    /* of the first environment */
extern uint32_t exos_worker_count;              /* workers ever made: >0: FS base names the page */

/*
 * For large tables of which only what was written before is read: they need not be zero when a
 * program starts (libexos/x86/program.ld).
 */
#define EXOS_UNSET __attribute__((section(".bss.unset")))

/* Own claims that the library itself uses; set once in set-up. */
extern exo_slot exos_own_env, exos_own_space;

/* The caller's environment page; for the hot paths. */
static inline struct exo_env_page *core_page(void)
{
	return exos_worker_count ? exos_page() : exos_page_first;
}

static inline struct exos_local *local_of(struct exo_env_page *page)
{
	return (struct exos_local *)(void *)(page->user + EXOS_LOCAL_OFFSET);
}

static inline struct exos_local *exos_local(void)
{
	return local_of(core_page());
}

/*
 * Take and drop the core lock.  Taking makes sure that the next 8 KiB of stack are there: a fault
 * under the lock would wait for the lock for ever.  In a fault handler (upcalls off) neither the
 * stack nor a thread switch is a concern.
 */
extern struct exos_lock core_lock;
void core_lock_spin(void);

static inline void exos_core_take(void)
{
	struct exo_env_page *page = core_page();

	if (!page->upcalls_off) {
		uintptr_t stack = (uintptr_t)__builtin_frame_address(0);

		(void)*(volatile char *)(stack - EXO_PAGE_SIZE);
		(void)*(volatile char *)(stack - 2 * EXO_PAGE_SIZE);
		local_of(page)->switch_depth++;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	}
	if (__atomic_exchange_n(&core_lock.taken, 1, __ATOMIC_ACQUIRE))
		core_lock_spin();
}

static inline void exos_core_drop(void)
{
	struct exo_env_page *page = core_page();

	__atomic_store_n(&core_lock.taken, 0, __ATOMIC_RELEASE);
	if (page->upcalls_off)
		return;
	if (local_of(page)->switch_owed)
		exos_switch_on();
	else
		local_of(page)->switch_depth--;
}

/* Called by exos_switch_on when a switch is owed; set by thread.c. */
extern void (*exos_switch_hook)(void);

/* Wait for a post of `entry` or the deadline while other threads run; set by thread.c. */
extern void (*exos_wait_hook)(uint32_t entry, uint64_t deadline_tsc);

/* With the core lock held: */
int core_frame_alloc(uint64_t count, uint64_t align, uint64_t *pfn, exo_slot *claim);
/* One frame, the quick way; not during set-up. */
int core_frame_one(uint64_t *pfn, exo_slot *claim);
/* Frames [next, hi) taken ahead for single ones; empty when another allocator is installed. */
struct core_stock {
	exo_slot claim;
	uint64_t next, hi;
};
extern struct core_stock core_stock;
void core_frame_free(uint64_t pfn, uint64_t count);
/* The range of an allocator's claim: false if the allocator has none in this slot. */
bool core_frame_range(exo_sid sid, uint64_t *lo, uint64_t *hi);
/*
 * Hand nothing out of this slot's claim, which is asked for; hand out of all again.
 */
void core_frame_close(exo_sid sid);
void core_frame_open_all(void);
/* The claim in this slot is gone with its frames: how many of them were handed out. */
uint64_t core_frame_lost(exo_sid sid);
/* Every slot of the own table. */
typedef void core_slot_visitor(exo_sid sid, const struct exo_cap *cap, void *context);
exo_sid core_slot_alloc(void);
void core_slot_free(exo_sid sid);
/* Free a slot if it is taken; not with the core lock held, as the next. */
void exos_slot_repair(exo_sid sid);
void exos_slot_each(core_slot_visitor *visit, void *context);
struct exos_space;
int core_space_map(struct exos_space *space, uint64_t va, exo_slot claim, uint64_t pfn,
		   uint64_t pages, uint32_t prot);
int core_space_protect(struct exos_space *space, uint64_t va, uint64_t pages, uint32_t prot);
int core_space_unmap(struct exos_space *space, uint64_t va, uint64_t pages);
int core_cap_retype(exo_slot claim, uint64_t pfn, uint32_t kind, uint64_t arg, exo_slot *out);
int core_cap_drop(exo_slot slot);
struct exos_region;
struct exos_region *core_region_find(uint64_t va);
extern struct exos_region *core_region_last;    /* found last: most faults come in runs */

/*
 * The commonest fault, the quick way: a first touch of writable zeroed memory in the region of
 * the fault before, in a program without workers.  False, with nothing changed: take the long
 * way.
 */
bool core_fault_quick(const struct exo_context *context);

/* Set-up, in this order, before the first thread runs; each ends the program if it cannot. */
void exos_upcall_setup(struct exo_env_page *page);
void exos_slot_setup(uint64_t table_va, uint64_t frames);
void exos_own_setup(void);
void exos_frame_setup(void);
void exos_grant_setup(void);
void exos_revoke_setup(void);

/* A claim that was asked for could not be given up yet: try again (revoke.c). */
extern bool exos_revoke_owed;
void exos_revoke_retry(void);

/* Shown each grant in turn. */
typedef void exos_grant_visitor(const struct exos_grant *grant, void *context);
/* Of the first program: grants made from its root claims. */
void exos_grant_first(exos_grant_visitor *visit, void *context);
/* The claims named `memory`; works before exos_grant_setup. */
void exos_memory_each(exos_grant_visitor *visit, void *context);
/* Of the first program: the same, found in its table, since the list of runs is not mapped yet. */
void exos_memory_first(exos_grant_visitor *visit, void *context);

/* Fault handlers' last words, and the end. */
_Noreturn void exos_fault_end(const char *what, const struct exo_context *context, int error);

#endif
