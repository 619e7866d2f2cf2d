/* SPDX-License-Identifier: MIT */
/*
 * vcpu.h - virtual processors as the kernel sees them: the first frame of a VCPU object.
 */
#ifndef EXO_VCPU_INTERNAL_H
#define EXO_VCPU_INTERNAL_H

#include <exo/vcpu.h>

#include "x86/direct.h"

struct vmcb;

enum vcpu_state { VCPU_FREE, VCPU_RUNNING };

struct vcpu {
	uint64_t pfn;
	struct exo_vcpu_page *page;     /* [I] its second frame */
	struct vmcb *vmcb;              /* [I] its third frame */
	uint32_t state;                 /* [a] enum vcpu_state */
	uint32_t cpu;                   /* [a] that runs it, when RUNNING */
	exo_slot by;                    /* [a] the claim by which it runs, when RUNNING */
	uint32_t ending;                /* [a] it may run no more */
	uint64_t stamp;                 /* of its last run, and of the CPU's; who made it RUNNING */
	uint64_t epoch;                 /* of what is cached for it there; likewise */
	uint64_t vmcb_pa;               /* [I] where the processor finds vmcb */
	uint64_t space;                 /* [a] pfn of the nested tables it may run on, 0: none */
	uint64_t bound;                 /* of those it is on the list of, 0: none; tree_lock */
	uint64_t next, prev;            /* pfn of others on that list; tree_lock */
};

static inline struct vcpu *vcpu_at(uint64_t pfn) { return pfn_to_virt(pfn); }

/* Make the zeroed frames of a VCPU object a VCPU that is bound to nothing.  tree_lock held. */
void vcpu_make(uint64_t pfn);

/* The guest of a VCPU that is RUNNING here has exited: the exit code.  For x86/svm_enter.S. */
int64_t vcpu_left(struct vcpu *v);

/* A piece of ending a VCPU: 0, or EXO_MORE while a CPU is still inside.  tree_lock held. */
int vcpu_end(uint64_t pfn);

struct exo_cap;

/*
 * A piece of ending a claim on a VCPU: 0, or EXO_MORE while a CPU is inside by it.  tree_lock held.
 */
int vcpu_unbind(const struct exo_cap *c);

/* A piece of parting all VCPUs from nested tables that end: 0 or EXO_MORE.  tree_lock held. */
int vcpus_part(uint64_t space);

#endif
