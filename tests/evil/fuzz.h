/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - the fuzzer: what its actors hold and share, and the format of its log.
 *
 * Actors are peers (environments without a library) that make calls with arguments out of what they
 * hold.  Actor 0, the warden, holds the arena and a claim of each other kind, and gives pieces of
 * them to the others, takes them back at any moment, and gives them anew.
 *
 * Ordered: a lock is held from before a call until its record is in the log, so the log's order is
 * that of the calls (one CPU).  Otherwise records are put in order of return only.
 */
#ifndef EVIL_FUZZ_H
#define EVIL_FUZZ_H

#include <exo/types.h>

/*
 * The log, on a disk of its own from its first byte: 64-byte records, little-endian.  The host's
 * model reads it (tests/evil/host/replay.c).
 */
struct fuzz_record {
	uint32_t sequence;      /* of the record, from 0 */
	uint16_t what;          /* the number of a call, or FUZZ_* */
	uint16_t actor;         /* who made it */
	int64_t  result;
	uint64_t arg[6];
};
_Static_assert(sizeof(struct fuzz_record) == 64, "the log's format");

enum fuzz_what {
	FUZZ_HEADER = 1,        /* FUZZ_MAGIC, seed, actors, arena lo, hi, ordered */
	FUZZ_ACTOR,             /* result: actor; arg: pfn of ENV, of its table, sid of ENV */
	FUZZ_OP,                /* of the next space_update: slot va pfn pages op prot */
	FUZZ_CHECK,             /* a checkpoint begins; result: its number; arg: calls so far */
	FUZZ_TABLE,             /* arg: pfn; 64 raw records follow: its slots */
	FUZZ_PT,                /* arg: pfn, level; 64 raw records follow: its entries */
	FUZZ_MAP,               /* arg: lo, frames; then frames / 4 raw: owner map entries */
	FUZZ_VECTOR,            /* arg: CPU; 8 raw records follow: pfn of who is in each slot */
	FUZZ_DONE,              /* the checkpoint is complete */
	FUZZ_END,               /* arg: calls, of these that succeeded */
};
#define FUZZ_MAGIC 0x7a7a75666f7865ul   /* "exofuzz" */

#ifndef FUZZ_HOST
#include "evil.h"

/* What is in the first slots of an actor's table. */
enum fuzz_slot {
	HAS_FRAME, HAS_SLOT, HAS_BLOCK, HAS_PORT, HAS_IRQ, HAS_NIC, HAS_TRACE, HAS_GATE,
	HAS_ENV,                /* and those of the other actors behind it */
	FUZZ_ACTORS_MAX = 6,
	HAS_MAIN = HAS_ENV + FUZZ_ACTORS_MAX,   /* the test itself, to lend it our slice */
	FUZZ_FIRST
};

struct actor {
	struct peer peer;
	unsigned number;
	uint64_t random;
	uint64_t lo, hi;        /* frames that it is given */
	uint64_t calls;
	uint16_t gave[EXO_SLOTS_PER_FRAME];     /* warden: what slot each piece went to */
};

#define FUZZ_CALLS 64u          /* numbers from 0x4000 on */
#define FUZZ_BUFFER 8192u       /* records in memory */

struct fuzz {
	struct actor actor[FUZZ_ACTORS_MAX];
	unsigned actors;
	bool ordered;
	bool vcpus;             /* this machine has them */
	volatile bool over;
	uint32_t lock;          /* [a] */
	const struct actor *volatile holder;    /* of the lock; NULL: the test itself */
	bool checking;          /* the writer of the log holds the lock */
	uint64_t calls, succeeded, want;
	uint64_t arena_lo, arena_hi;
	struct fuzz_record *log;        /* FUZZ_BUFFER of them */
	volatile uint64_t head, tail;   /* records ever written; ever on the disk */
	uint32_t reached[FUZZ_CALLS][32];
	uint32_t revoked[EXO_KIND_COUNT];       /* in use, by kind */
	uint64_t wrong;         /* what an actor saw that may not be */
	char why[96];           /* the first of these */
};
extern struct fuzz fuzz;

/* fuzz_log.c */
void fuzz_lock(const struct actor *a);
bool fuzz_lock_try(void);
void fuzz_unlock(void);
/* Let the test itself run, which writes the log. */
void fuzz_yield(const struct actor *a);
/* A call, made, counted and logged. */
int64_t fuzz_call(struct actor *a, uint32_t number, uint64_t a0, uint64_t a1, uint64_t a2,
		  uint64_t a3, uint64_t a4);
/* Drop or revoke until it is done, nobody in between (ordered). */
int64_t fuzz_end(struct actor *a, uint32_t number, exo_slot slot);
/* A change of page tables. */
int64_t fuzz_map(struct actor *a, exo_slot space, const struct exo_map_op *op);
/* A call of the server's gate, passing a claim or 0. */
int64_t fuzz_gate(struct actor *a, exo_slot gate, exo_slot cap);
/* A record of the log's own; lock held. */
void fuzz_note(enum fuzz_what what, int64_t result, const uint64_t *arg, unsigned count);
/* 64 bytes as they are. */
void fuzz_raw(const void *bytes);
/* Write what is in memory to the disk: full chunks, or all of it. */
bool fuzz_flush(bool all);
bool fuzz_log_open(void);
void fuzz_log_close(void);
/* Something is not as it must be. */
void fuzz_wrong(const char *why);

/* fuzz_act.c: one random action. */
void fuzz_act(struct actor *a);
uint64_t fuzz_next(struct actor *a);
uint64_t fuzz_below(struct actor *a, uint64_t bound);
/* The claim in this slot of the actor's table, by its name now. */
exo_slot fuzz_name(const struct actor *a, unsigned index);
/* An empty slot of it from FUZZ_FIRST on: its sid, or 0. */
exo_sid fuzz_empty(struct actor *a);

/* fuzz_revoke.c: the warden's. */
void fuzz_warden_start(struct actor *w);
void fuzz_cycle(struct actor *w);
void fuzz_equip(struct actor *w, unsigned actor);

/* fuzz_check.c: the exported tables into the log; lock held. */
void fuzz_checkpoint(void);
#endif
#endif
