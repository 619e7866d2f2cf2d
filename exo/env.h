/* SPDX-License-Identifier: MIT */
/*
 * env.h - environments as the kernel sees them: the first frame of an ENV object.
 *
 * Invariant: an environment in state RUNNING is `current` of exactly one CPU.
 */
#ifndef EXO_ENV_INTERNAL_H
#define EXO_ENV_INTERNAL_H

#include <exo/cap.h>
#include <exo/env.h>
#include <stdbool.h>

#include "known.h"
#include "x86/direct.h"

enum env_state {
	ENV_STOPPED,
	ENV_BLOCKED,            /* in env_wait, ready to serve a gate */
	ENV_READY,
	ENV_RUNNING,
	ENV_CALLING,            /* inside a gate call of its own */
	ENV_WAITING,            /* in env_wait while another is inside its gate */
	ENV_ASLEEP,             /* in env_wait_until */
	ENV_PARTING,            /* its gate call is being ended by other means than the return */
};

enum env_resume {
	RESUME_START,           /* at start_rip */
	RESUME_CALL,            /* behind a system call: context in now */
	RESUME_WAIT,            /* behind env_wait, whose answer is made then */
	RESUME_SLICE,           /* slice upcall; interrupted context in area UPCALL */
	RESUME_FROZEN,          /* unchanged from area FROZEN */
};

/* What a system call that switches leaves of its caller. */
struct call_context {
	uint64_t rip, rflags, rsp;
	uint64_t rbx, rbp, r12, r13, r14, r15;
	uint64_t result;        /* rax when it returns */
};

/* A deadline in a CPU's heap. */
struct timer {
	struct timer *kid[2], **link;   /* link NULL: it is not set */
	uint64_t tsc;
	uint32_t cpu;
	uint32_t kind;                  /* enum timer_kind */
};

/* Who posts an entry of an event ring. */
enum source_kind {
	SOURCE_NONE,
	SOURCE_ALARM,
	SOURCE_IRQ,
	SOURCE_RING,
	SOURCE_PACKETS,
	SOURCE_WATCH,
	SOURCE_PCI_VECTOR,
	SOURCE_PCI_FAULT,
	SOURCE_DOORBELL
};
struct source {
	uint64_t kind : 8;      /* enum source_kind */
	uint64_t id : 56;       /* gsi, vector, place of a function, pfn of rings or of the
				 * watched environment */
};

/* Vector state in an environment's third frame. */
#define VECTORS_VALID 1u        /* it is what the environment left */
#define VECTORS_SAVED 2u        /* there was some since the environment was made */

#define TABLE_HITS 256u         /* frames of 64 slots that are found at once */
#define TABLE_NONE (~0u)        /* no slot lies in it */

struct env {
	struct exo_env_page *page;      /* asm */
	uint64_t pfn;
	uint64_t id; /* number of this environment << 32 | pfn; tables serve an id */
	uint64_t space;                 /* pfn of the top-level table, 0: none */
	struct call_context ctx[2];     /* [inside] */
	struct call_context *now;       /* &ctx[inside] */
	uint32_t state;                 /* [a] enum env_state */
	uint32_t depth;                 /* inside how many gate calls, one within the other */
	union {
		struct {
			uint8_t resume;         /* enum env_resume */
			uint8_t attention;      /* [a] events came that it wants an upcall for */
		};
		uint32_t how;                   /* both */
	};
	uint32_t cpu;                   /* that runs it, when RUNNING */
	uint64_t start_rip, start_rdi;
	struct env *caller;             /* who is inside its gate */
	struct env *callee;             /* into whose gate it called */
	exo_sid object;                 /* the node that holds this object */
	uint32_t stop_wanted;           /* [a] EXO_STOP_* it shall stop for, 0: none */
	uint32_t event_head;            /* [a] events ever put on the ring */
	uint32_t wait_seen[2];          /* [inside] */
	uint64_t wait_until[2];         /* [inside] tsc, 0: no deadline */
	uint64_t looked;                /* [a] the last search that came by it: sched.c */
	uint32_t cut;                   /* [a] its alarm wants its gate call ended */
	uint32_t upcall_head;           /* event_head when the last event upcall was made */
	struct timer wait, alarm;
	uint64_t owes;                  /* [a] time that it had of others' slots: see charge.h */
	uint64_t irq_slot, irq_tsc;     /* in which slot its interrupts took that of others */
	uint64_t fs_base, gs_base;
	uint64_t cpus[4];               /* [a] CPUs whose vectors name it */
	uint32_t first_slot;            /* (cpu << 8 | slot) + 1; 0: none */
	uint32_t ring_lock;             /* [a] one poster at a time */
	uint64_t watch_env;             /* pfn of who is told when it stops, 0: nobody */
	uint32_t watch_entry;
	uint32_t has_vectors;           /* VECTORS_*: of its third frame */
	uint32_t in_guest;              /* [a] in vcpu_run: events end it */
	uint64_t predicate;             /* [a] pfn of the program that wakes it, 0: none */
	uint64_t space_next, space_prev;        /* pfn of others that run in the same space */
	struct known known[KNOWN_USES];
	uint32_t table_hit[TABLE_HITS]; /* [a] frames of its tables by last bits, or TABLE_NONE */
	uint32_t sources;               /* entries but the alarm's that have a source */
	struct source source[EXO_EVENTS];
};
_Static_assert(sizeof(struct env) <= EXO_PAGE_SIZE, "env: one frame");

static inline struct env *env_at(uint64_t pfn) { return pfn_to_virt(pfn); }

/* Was this frame found to hold slots of the environment? */
static inline bool table_known(const struct env *e, uint32_t pfn)
{
	return e->table_hit[pfn % TABLE_HITS] == pfn;
}

/* May an environment get an upcall at this instruction? */
static inline bool upcalls_on(const struct exo_env_page *p, uint64_t rip)
{
	return !p->upcalls_off && !(rip >= p->resume_lo && rip < p->resume_hi);
}

/* In a gate call of another? */
static inline bool env_is_inside(const struct env *e)
{
	return e->depth;
}

/* Somebody is inside its gate from now on, `depth` calls deep, or nobody is: 0. */
static inline void env_inside(struct env *e, uint32_t depth)
{
	e->depth = depth;
	e->now = &e->ctx[depth != 0];
}

/* Post entry `entry` of the environment's ring and wake it.  From any context, no lock needed. */
void event_post(struct env *e, unsigned entry);

/* Reserve and free a ring entry for a source.  tree_lock held.  -EXO_E_ROOM, -EXO_E_RANGE. */
int event_reserve(struct env *e, unsigned entry, enum source_kind kind, uint64_t id);
void event_free(struct env *e, unsigned entry);

/* One of the doorbells of an entry is gone; with the last the entry is free. */
void event_release(struct env *e, unsigned entry);

#endif
