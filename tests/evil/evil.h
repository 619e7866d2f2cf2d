/* SPDX-License-Identifier: MIT */
/*
 * evil.h - the hostile-program suite: every call, what its arguments are, how they can be wrong.
 *
 * table.c says for each call how its rightful arguments are made and of which class each is; ways.c
 * makes them wrong, one at a time, in each way that its class knows, and expects the error.
 *
 * Invariant: a refused call has changed nothing, and the same call with the rightful argument
 * succeeds afterwards.  A call of the call table that is not in table.c fails a test.
 */
#ifndef EVIL_H
#define EVIL_H

#include <exos/call.h>

#include "guest/guest.h"
#include "guest/peer.h"

/* Classes of arguments: what each can be wrong in. */
enum evil_class {
	EVIL_NONE,              /* the call has no such argument */
	EVIL_CLAIM,             /* a claim of one of `kinds` with all of `rights` */
	EVIL_SLOT,              /* an empty slot of the caller's own table */
	EVIL_THEIRS,            /* an empty slot of the receiver's table */
	EVIL_MEMORY,            /* an address the kernel reads */
	EVIL_NUMBER,            /* rows in numbers.c say what is wrong */
	EVIL_ANY,               /* no value is refused */
};

#define EVIL_KIND(kind) (1u << EXO_KIND_##kind)
#define EVIL_KINDS      (~0u)

struct evil_arg {
	uint8_t class;          /* enum evil_class */
	bool optional;          /* 0 stands for none */
	uint16_t rights;        /* each alone is needed */
	uint32_t kinds;         /* 1 << enum exo_kind */
};

#define EVIL_ARGS 5u            /* that are looked at; gate calls' words are the program's own */

struct evil_call {
	uint32_t number;
	uint32_t args;          /* as in the call table, those beyond EVIL_ARGS included */
	const char *name;
	struct evil_arg arg[EVIL_ARGS];
	/* Fill in rightful arguments, made anew; false: this machine has not what it needs. */
	bool (*make)(uint64_t *arg);
	/* Put back what a call that succeeded did; NULL: evil_clear does. */
	void (*undo)(const uint64_t *arg, int64_t result);
	int64_t twice;          /* the result of the same call once more; 1: as the first */
	uint32_t thaws;         /* arguments (1 << n) that must not be frozen; see ways.c */
};

extern const struct evil_call evil_calls[];
extern const unsigned evil_call_count;

/* A number that is refused: the rightful one + add (relative), or add itself. */
struct evil_number {
	uint32_t call, arg;
	const char *way;
	bool relative;
	uint64_t add;
	int error;
};
extern const struct evil_number evil_numbers[];
extern const unsigned evil_number_count;

/* make.c: rightful arguments, as evil_call.make. */
bool make_ask(uint64_t *a);
bool make_vcpu_bind(uint64_t *a);
bool make_vcpu_run(uint64_t *a);
bool make_pci_config(uint64_t *a);
bool make_pci_bind(uint64_t *a);
bool make_pci_vector(uint64_t *a);
bool make_pci_ack(uint64_t *a);
bool make_pci_reset(uint64_t *a);
bool make_prog_load(uint64_t *a);
bool make_nic_prog(uint64_t *a);
bool make_wait_until(uint64_t *a);
/* What the kernel says of the function of a PCI claim; NULL: it is none. */
const struct exo_pci_info *evil_function(exo_slot claim);

#define EVIL_ENTRY 200u         /* of the own event ring; nobody else's */

/* Make the call and count its result (guest/pairs.h). */
int64_t evil_call(const struct evil_call *call, const uint64_t *arg);

/* What the test holds.  Slots of one kind each; 0: this machine has none. */
struct evil_world {
	struct guest_frames frames;     /* [lo, hi): see world.c for who uses which */
	struct peer peer;               /* an environment that never runs */
	struct peer server;             /* one that serves a gate */
	exo_slot claim[EXO_KIND_COUNT];
	uint32_t claims;
};
extern struct evil_world evil;

#define EVIL_FRAMES 512u

/* Make it; a noted failure and false if that is not possible. */
bool evil_make(void);
/* End what calls made, so that the next begins from the same state. */
void evil_clear(void);
/* End it all. */
void evil_end(void);

/* A fresh claim of this kind, derived with these rights from the test's; 0 if there is none. */
exo_slot evil_fresh(enum exo_kind kind, uint32_t rights);
/* A number that changes when anything in the own table does. */
uint64_t evil_digest(void);
/* The claim above a claim of the own table. */
exo_slot evil_parent(exo_slot slot);

#endif
