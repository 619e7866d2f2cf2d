/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - what each CPU keeps for itself.
 *
 * Written by its own CPU only, except where marked.  Found through GS in the kernel; entries on
 * stacks of their own (NMI, double fault, machine check) find it below the top of that stack.
 */
#ifndef EXO_CPU_H
#define EXO_CPU_H

#include <exo/machine.h>

#include "env.h"
#include "lock.h"
#include "x86/insn.h"
#include "x86/offsets.h"

/* What follows stands in another line of the cache: CPUs that do not share lines do not wait. */
#define CACHE_LINE struct {} __attribute__((aligned(64)));

#define CPUS_MAX 255            /* xAPIC identifiers are 8 bits */

/* What other CPUs must be asked to forget before the present call ends. */
struct tlb_notes {
	uint64_t space;         /* of all notes, unless every_space */
	uint32_t own;           /* pages that ended of this CPU's space, one by one */
	bool any, every_space;
	bool special;           /* spaces of guests or devices are among them */
};

/*
 * The last leaf table that was found, kept until any table is taken off its place: most changes are
 * near the one before (the software TLB of Aegis, for the kernel's own walks).  Of spaces of
 * environments only.
 */
struct leaf_cache {
	uint64_t space, region; /* region: va / 2 MiB; space 0: nothing is known */
	uint64_t *table, *groups;
	struct lock *lock;
	struct shadow *shadow;
};

struct cpu {
	struct cpu *self;               /* asm from here ... */
	uint64_t kernel_rsp;
	uint64_t user_rsp;
	struct env *env;                /* whose registers are on the CPU, NULL: none */
	struct exo_env_page *page;      /* its page */
	struct call_context *ctx;       /* its context for system calls that switch */
	uint64_t scratch;
	struct exo_cpu_stats *stats;
	uint64_t gate_rip, gate_rsp, gate_rdi, gate_rsi;
	bool resched;                   /* choose anew before going back to user mode */
	uint64_t entered;               /* tsc since which interrupts are off: see x86/latency.h */
	uint64_t cause;                 /* of that, as in struct exo_latency */
	uint64_t kept[2];
	uint32_t number, slot;
	uint64_t slot_end;              /* tsc */
	uint64_t space;                 /* [a] pfn of the loaded top-level table, 0: the kernel's */
	uint64_t fancy;                 /* not 0: vector registers are within reach or somebody's,
	                                 * or there is no FSGSBASE */
	struct exo_vector *vector;
	                                /* ... to here */
	CACHE_LINE                      /* what other CPUs read */
	uint32_t apic_id;
	uint32_t tlb_asked, tlb_answered;       /* [a] */
	bool idle;                      /* [a] */
	uint64_t started;               /* [a] */
	CACHE_LINE                      /* what each change of a mapping writes */
	struct lock tree;               /* its part of tree_lock */
	struct leaf_cache leaf;         /* written by others too, who hold all of tree_lock */
	CACHE_LINE
	uint64_t armed;                 /* tsc that the timer waits for, 0: it came */
	bool again;                     /* the timer came in a call and is to come again */
	struct env *next;               /* who runs when the present call ends, RUNNING already */
	struct env *vector_owner;       /* whose vector state is in the registers, NULL: nobody's */
	bool ts;                        /* vector registers are out of reach */
	unsigned vector_now;            /* of the interrupt that is, or was last, handled */
	bool open;                      /* it schedules: long calls let interrupts in */
	bool deferred;                  /* this slot's end was put off already */
	uint64_t slot_number;           /* how many slots began before the present one */
	bool irqs_held;                 /* sources are masked until the next slot */
	uint64_t looks;                 /* searches for one to run that came by gate calls */
	struct lock slot_lock;          /* guards vector, holder, timers */
	struct exo_trace *trace;
	struct exo_trace_record *trace_at, *trace_end;  /* where its next record goes */
	exo_sid holder[EXO_VECTOR_SLOTS];
	struct timer *timers;           /* the earliest, see timer.c; NULL: none is set */
	uint64_t lot;                   /* of its heap */
	struct tlb_notes notes;
	struct {
		uint64_t save_pa, host_pa;      /* [I] frames for its state while a guest runs */
		uint64_t stamp;                 /* of the VCPU that ran here last */
		uint64_t stamps;                /* that were given here */
		uint32_t inside;                /* [a] a guest runs here, or will without looking */
	} guest;
	void *tables;                   /* [I] what the processor reads, see x86/cpu.c */
};

extern struct cpu *cpus[CPUS_MAX];
extern unsigned cpu_count;

static inline struct cpu *this_cpu(void)
{
	return percpu_self();
}

/* The same as this_cpu()->env, ->page and ->stats, with one load. */
static inline struct env *this_env(void) { return percpu_word(CPU_ENV); }
static inline struct exo_env_page *this_page(void) { return percpu_word(CPU_PAGE); }
static inline struct exo_cpu_stats *this_stats(void) { return percpu_word(CPU_STATS); }

/* Bytes copied between the present environment and the kernel. */
static inline void count_copied(uint64_t bytes)
{
	this_stats()->copied += bytes;
	this_page()->copied += bytes;
}

/* The place of the next record of this CPU's trace. */
static inline struct exo_trace_record *trace_next(struct cpu *c)
{
	struct exo_trace_record *r = c->trace_at;

	c->trace_at = r + 1 == c->trace_end ? c->trace->record : r + 1;
	c->trace->count++;
	return r;
}

/* The kernel's own top-level table, whose upper half every space shares. */
extern uint64_t *kernel_pml4;

/* Load a space's tables, if they are not loaded. */
static inline void space_load(struct cpu *c, uint64_t space)
{
	if (c->space == space)
		return;
	c->stats->space_loads++;
	__atomic_store_n(&c->space, space, __ATOMIC_RELEASE);
	write_cr3(space << EXO_PAGE_SHIFT);
}

#endif
