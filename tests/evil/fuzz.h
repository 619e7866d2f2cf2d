/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - the fuzzer: groups of actors, what they hold and share, and the format of their logs.
 *
 * Actors are peers (environments without a library) that make calls with arguments out of what they
 * hold.  Actor 0 of a group, the warden, holds the group's arena and a claim of each other kind,
 * gives pieces of them to the others, takes them back at any moment, and gives them anew.
 *
 * Each CPU has an ordered group: its actors act by turns, in an order that the seed gives, and
 * every call and result is in the group's log, so that a model can say what each result must have
 * been.  Groups hold nothing in common; CPUs run at the same time.  With several CPUs there is one
 * more group whose actors run on all of them, share claims and know no turns: it has no log.
 *
 * Invariant: nothing in a log depends on the time: not on slices, the disk or other CPUs.
 */
#ifndef EVIL_FUZZ_H
#define EVIL_FUZZ_H

#include <exo/types.h>

/*
 * The logs, on a disk of their own, in parts of equal size: 64-byte records, little-endian.  The
 * host's model reads them (tests/evil/host/replay.c).
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
	FUZZ_HEADER = 1,        /* FUZZ_MAGIC, seed, actors, arena lo, hi, group */
	FUZZ_ACTOR,             /* result: actor; arg: pfn of ENV, of its table, sid of ENV */
	FUZZ_OP,                /* of the next space_update: slot va pfn pages op prot */
	FUZZ_CHECK,             /* a checkpoint begins; arg: calls, of these that succeeded */
	FUZZ_TABLE,             /* arg: pfn; 64 raw records follow: its slots */
	FUZZ_PT,                /* arg: pfn; 64 raw records follow: its entries, A and D cleared */
	FUZZ_MAP,               /* arg: lo, frames; then frames / 4 raw: owner map entries */
	FUZZ_VECTOR,            /* arg: CPU; 8 raw records follow: pfn of who is in each slot of
	                           the group's, 0 for others */
	FUZZ_DONE,              /* the checkpoint is complete */
	FUZZ_END,               /* arg: calls, of these that succeeded */
};
#define FUZZ_MAGIC 0x7a7a75666f7865ul   /* "exofuzz" */

#ifndef FUZZ_HOST
#include "evil.h"

/* What is in the first slots of an actor's table. */
enum fuzz_slot {
	HAS_FRAME, HAS_SLOT, HAS_BLOCK, HAS_PORT, HAS_IRQ, HAS_NIC, HAS_PCI, HAS_TRACE, HAS_GATE,
	HAS_ENV,                /* and those of the other actors behind it */
	FUZZ_ACTORS_MAX = 6,
	HAS_MAIN = HAS_ENV + FUZZ_ACTORS_MAX,   /* the test itself, to lend it our slice */
	FUZZ_FIRST
};

struct group;
struct actor {
	struct peer peer;               /* the first: an actor is found by it */
	struct group *group;
	unsigned number;                /* in the group */
	uint64_t random;
	uint64_t lo, hi;                /* frames that it is given */
	uint16_t gave[EXO_SLOTS_PER_FRAME];     /* warden: what slot each piece went to */
};

/* A log: a ring of records in memory, from which the test itself writes to the disk. */
struct fuzz_log {
	struct guest_frames memory;
	struct fuzz_record *record;     /* FUZZ_BUFFER of them; NULL: no log */
	volatile uint64_t head, tail;   /* records ever written; ever on the disk */
	uint64_t block, end;            /* its part of the disk from here on, blocks of 512 bytes */
};

/* The warden's own. */
struct fuzz_warden {
	exo_slot filters[FUZZ_ACTORS_MAX];
	exo_slot space, env, part, time_part, block_part;
	uint64_t cycles, wanted;        /* how often each kind was revoked in use, and shall be */
};

#define FUZZ_BUFFER     32768u  /* records in memory, of each log */
#define FUZZ_GROUPS_MAX 5u
#define FUZZ_MAIN       ~0u     /* whose turn it is: the test's own */

struct group {
	struct actor actor[FUZZ_ACTORS_MAX];
	unsigned actors, number, cpu;
	bool ordered;
	struct peer server;
	struct guest_frames arena, filter;
	exo_slot given[HAS_GATE];       /* the warden's claims stem from these of ours */
	uint64_t random;                /* of turns */
	volatile unsigned turn;         /* [a] an actor's number, or FUZZ_MAIN */
	volatile bool over;
	uint64_t want, next_check, step;
	uint64_t calls, succeeded;      /* [a] */
	struct fuzz_log log;
	struct fuzz_warden warden;
	uint32_t revoked[EXO_KIND_COUNT];       /* in use, by kind */
};

struct fuzz {
	struct group group[FUZZ_GROUPS_MAX];
	unsigned groups, ordered;       /* all; of these with turns, which come first */
	uint64_t seed;
	bool vcpus;                     /* this machine has them */
	volatile bool over;             /* all stop */
	volatile uint64_t wrong;        /* [a] what an actor saw that may not be */
	char why[96];                   /* the first of these */
};
extern struct fuzz fuzz;

/* fuzz_group.c: the group's actors and what they hold; false, noted: that cannot be had. */
bool fuzz_group_make(struct group *g, unsigned number);
void fuzz_group_end(struct group *g);
/* Let it run in `count` slots of a CPU that nobody is in yet; in all there are (~0). */
bool fuzz_put_on(const struct peer *peer, uint32_t cpu, unsigned count);
/* Start server and warden, then the others: two calls, between which the warden is waited for. */
bool fuzz_group_begin(struct group *g);
bool fuzz_group_start(struct group *g);
/* The parts of the disk that groups have, from its first block on. */
#define FUZZ_GROUP_BLOCKS 1024u

/* fuzz_turn.c: who acts.  Until it is its turn; false: it is over. */
bool fuzz_turn_wait(struct actor *a);
/* To the next. */
void fuzz_turn_pass(struct group *g);
/* Let the test itself run, which writes the log. */
void fuzz_lend_main(const struct actor *a);
/* A pseudo-random number from its state, and one below a bound > 0. */
uint64_t fuzz_random(uint64_t *state);

/* fuzz_call.c: a call, made, counted and logged; the caller has the turn. */
int64_t fuzz_call(struct actor *a, uint32_t number, uint64_t a0, uint64_t a1, uint64_t a2,
		  uint64_t a3, uint64_t a4);
/* Drop or revoke until it is done; pieces of it are neither counted nor logged. */
int64_t fuzz_end(struct actor *a, uint32_t number, exo_slot slot);
/* A change of page tables. */
int64_t fuzz_map(struct actor *a, exo_slot space, const struct exo_map_op *op);
/* A call of the server's gate, passing a claim or 0. */
int64_t fuzz_gate(struct actor *a, exo_slot gate, exo_slot cap);
/* Something is not as it must be. */
void fuzz_wrong(const char *why);

/* fuzz_log.c: a record of the log's own; the turn is ours. */
void fuzz_note(struct group *g, enum fuzz_what what, int64_t result, const uint64_t *arg,
	       unsigned count);
/* The next record, empty. */
struct fuzz_record *fuzz_record(struct group *g);
/* 64 bytes as they are. */
void fuzz_raw(struct group *g, const void *bytes);
/* Write what is in memory to the disk: full chunks, or all of it. */
bool fuzz_flush(struct group *g, bool all);
/* A log for each ordered group, if there is a second disk. */
bool fuzz_log_open(void);
void fuzz_log_close(void);

/* fuzz_act.c: one random action. */
void fuzz_act(struct actor *a);
uint64_t fuzz_below(struct actor *a, uint64_t bound);
/* The claim in this slot of the actor's table, by its name now. */
exo_slot fuzz_name(const struct actor *a, unsigned index);
/* An empty slot of it from FUZZ_FIRST on: its sid, or 0. */
exo_sid fuzz_empty(struct actor *a);

/* fuzz_revoke.c and fuzz_cycle.c: the warden's. */
void fuzz_warden_start(struct actor *w);
void fuzz_equip(struct actor *w, unsigned actor);
void fuzz_cycle(struct actor *w);
exo_slot fuzz_narrow(struct actor *w, exo_slot from, uint64_t lo, uint64_t hi, uint64_t rights);
exo_slot fuzz_object(struct actor *w, exo_slot from, uint64_t at, enum exo_kind kind, uint64_t arg);
/* A claim on those of the group's packets whose byte 32 is `mark`. */
exo_slot fuzz_nic_part(struct actor *w, exo_slot filter, uint64_t mark);
/* Frames of the warden's own, from the start of the arena. */
enum fuzz_own {
	OWN_SPACE = 0, OWN_PT3 = 4, OWN_PT2 = 8, OWN_PT1 = 12,  /* a space with room to map */
	OWN_ENV = 16, OWN_FILTER = 20, OWN_TABLE = 34,          /* FILTER: one an actor */
	OWN_CYCLE = 40,         /* what the cycle makes and revokes */
	OWN_ALL = 64,
};

/* fuzz_check.c: the exported tables into the log; the turn is ours. */
void fuzz_checkpoint(struct group *g);
#endif
#endif
