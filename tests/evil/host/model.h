/* SPDX-License-Identifier: MIT */
/*
 * model.h - the reference model of claims, frames and page tables that the fuzzer's log is held
 * against: one plain array for each table, no locks, nothing resumable, nothing fast.
 *
 * Invariant: written from the rules (docs/abi.md), not from the kernel's data structures; it shares
 * with the kernel only the ABI's headers.
 */
#ifndef MODEL_H
#define MODEL_H

#include <exo/cap.h>
#include <exo/disk.h>
#include <exo/env.h>
#include <exo/errors.h>
#include <exo/machine.h>
#include <exo/nic.h>
#include <exo/space.h>
#include <stdbool.h>

#define FUZZ_HOST
#include "fuzz.h"

/* A slot of a table; kind NONE: empty. */
struct node {
	exo_sid sid, parent, child, next;       /* siblings in no order */
	uint64_t lo, hi;
	uint32_t gen, unit, badge;
	uint16_t rights;
	uint8_t kind, flags;
	bool gen_known;
	uint32_t maps;          /* leaves made by it */
	uint32_t bound;         /* rings, or an interrupt, bound by it */
};

struct table {
	uint64_t pfn, env;      /* whose; 0: nobody's any more */
	struct node slot[EXO_SLOTS_PER_FRAME];
};

/* An entry of a page table: a leaf (claim != 0) or the table below. */
struct entry {
	uint64_t pfn;
	exo_sid claim;
	uint8_t prot, most;
	bool present, leaf;
};
struct pt {
	unsigned level;
	uint64_t parent;        /* pfn of the table it hangs in, 0: nowhere */
	unsigned index;         /* in it */
	unsigned leaves;
	struct entry entry[512];
};

struct frame {
	exo_sid holder;
	uint8_t use;
	uint32_t maps;
	bool traced;            /* TRACE maps it */
	exo_sid ring;           /* first frame of a ring: the BLOCK claim it is bound by */
};

#define MODEL_PFNS (1ul << 20)          /* of RAM, the first 4 GiB */
#define MODEL_CPUS 16u
#define MODEL_ACTORS 8u

struct model {
	uint64_t lo, hi;        /* the arena */
	struct frame *frame;    /* of the arena */
	struct pt **pt;         /* likewise */
	struct table *table[MODEL_PFNS];
	uint64_t vector[MODEL_CPUS][EXO_VECTOR_SLOTS];
	uint64_t actors;
	uint64_t env[MODEL_ACTORS], own[MODEL_ACTORS];  /* of each: its environment, its table */
};
extern struct model model;

/* Any result of these is as good as another: what decides it is not modelled. */
#define MODEL_LOOSE 0x7fffffff

/* model.c: finding and deriving. */
struct node *model_node(exo_sid sid);           /* NULL: in no table that is known */
struct table *model_table(uint64_t pfn, uint64_t env);
int model_any(unsigned actor, uint64_t name, struct node **n);
int model_find(unsigned actor, uint64_t name, unsigned kind, unsigned rights, struct node **n);
/* The empty slot of this sid in a table of an environment. */
int model_empty(uint64_t env, uint64_t sid, struct node **n);
struct node model_whole(const struct node *n, uint64_t rights);
int model_derive_check(const struct node *parent, const struct node *spec);
void model_derive(struct node *parent, struct node *dst, const struct node *spec);
struct frame *model_frame(uint64_t pfn);        /* NULL: outside the arena */
bool model_held(uint64_t lo, uint64_t hi, exo_sid holder);
bool model_mapped(uint64_t lo, uint64_t hi);
bool model_slot_held(const struct node *n, uint64_t slot);
bool model_has_share(const struct node *n);

/* model_object.c */
int model_retype(unsigned actor, const struct fuzz_record *r, bool act);

/* model_end.c */
void model_drop(struct node *n);
void model_revoke(struct node *n);

/* model_space.c */
int model_space(unsigned actor, const struct node *space, const uint64_t op[6], bool act);
void model_unmap_claim(struct node *n);
void model_pt_end(uint64_t pfn);
void model_untrace(uint64_t pfn);

/* model_call.c: the result that the rules want; `act`: it is so, do it. */
int64_t model_call(const struct fuzz_record *r, const uint64_t op[6], bool act);

#endif
