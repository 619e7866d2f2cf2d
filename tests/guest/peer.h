/* SPDX-License-Identifier: MIT */
/*
 * peer.h - a second environment made by hand, call by call, in the space of the test.
 *
 * A peer runs a C function on a small stack with an environment page whose every field the test
 * sets.  It has none of libexos: its functions make kernel calls and touch mapped memory, no more.
 * Its upcalls go to C functions, which see and may change all registers in the page's area.
 *
 * Invariant: all of a peer is derived from one claim of the test: peer_end takes it all back.
 */
#ifndef PEER_H
#define PEER_H

#include "guest.h"

struct peer;

/* Runs in the peer; returning from it is exo_env_exit. */
typedef void peer_main(struct peer *peer);
/* Runs in an upcall of the peer, upcalls off; the context is resumed when it returns. */
typedef void peer_handler(struct peer *peer, struct exo_context *context);

/* At the start of the page's user part; peer.S knows it (PEER_* below). */
struct peer_user {
	struct peer *peer;              /* 0x00 */
	uint64_t stack;                 /* 0x08 initial stack pointer */
	peer_main *start;               /* 0x10 */
	peer_handler *handler;          /* 0x18 of faults, slices and events */
	peer_handler *doubled;          /* 0x20 of double faults */
};

struct peer {
	struct guest_frames frames;     /* all its memory: page, table, stack */
	exo_slot env, table;            /* its ENV and TABLE claims, in the test's table */
	struct exo_env_page *page;      /* as the test has it mapped; the peer uses it too */
	const struct exo_cap *slots;    /* its table, read-only */
	exo_sid sid;                    /* of its first slot; slots 0 to 63 of its table follow */
	char *stack;                    /* PEER_STACK bytes, shared by main, upcalls and doubles */
	uint64_t word[16];              /* for the test and its peer */
	uint64_t upcalls, doubles;      /* counted by peer.c's handlers below */
	struct exo_context seen;        /* by peer_note */
};

#define PEER_OBJECTS      (EXO_FRAMES_ENV + EXO_FRAMES_TABLE)
#define PEER_STACK_FRAMES 12u
#define PEER_FRAMES       (PEER_OBJECTS + PEER_STACK_FRAMES)
#define PEER_STACK        (PEER_STACK_FRAMES * EXO_PAGE_SIZE)

/* Make one, in the test's own space; it is not started.  0 or -EXO_E_*. */
int peer_make(struct peer *peer);

/* Set its space (0: the test's own) and start it with this function. 0 or -EXO_E_*. */
int peer_start(struct peer *peer, peer_main *start, exo_slot space);

/*
 * Let it run in slots [first, first + count) of the test's claim on a CPU; from the claim's
 * start.
 */
int peer_slots(struct peer *peer, uint32_t cpu, uint32_t first, uint32_t count);

/* Wait until it stopped, at most ms milliseconds: true if it did. */
bool peer_wait(struct peer *peer, uint64_t ms);

/* Stop it and take back all that is its; also its claims given to others' tables. */
void peer_end(struct peer *peer);

/* Send upcalls to this handler; NULL: none (the environment stops at a fault). */
void peer_upcalls(struct peer *peer, peer_handler *handler);
/* Also slice begins; also events; also double faults. */
void peer_slices(struct peer *peer, bool on);
void peer_doubles(struct peer *peer, peer_handler *handler);

/* A handler that notes the context in peer->seen, counts, and skips `word[15]` bytes of code. */
void peer_note(struct peer *peer, struct exo_context *context);

/* Give the peer a claim into slot `index` (0 to 63) of its table; the name there or -EXO_E_*. */
int64_t peer_give(struct peer *peer, unsigned index, exo_slot claim, uint32_t rights);

/* The peer's environment name, and what the test's time slots are. */
static inline uint64_t peer_pfn(const struct peer *peer) { return peer->frames.lo; }
/* The test's SLOT claim on a CPU, or NULL. */
const struct exos_grant *peer_time(uint32_t cpu);

/* A gate call as it enters a peer; what the function leaves in it goes back. */
struct peer_gate_frame {
	uint64_t xmm0, xmm15, rflags;
	uint64_t rax, rbx, rbp, rcx, r11;
	uint64_t rdi;                   /* the badge; going back: the result */
	uint64_t rsi;                   /* the claim received,
		or 0; going back: the claim to pass */
	uint64_t word[8];               /* rdx r8 r9 r10 r12 r13 r14 r15 */
};
typedef void peer_service(struct peer_gate_frame *frame);

/* Serve gates with this function, which gets no peer: it keeps what it needs in globals. */
void peer_serve(struct peer *peer, peer_service *service);

/* peer.S */
extern char peer_entry[], peer_upcall[], peer_double[], peer_window_lo[], peer_window_hi[];
extern char peer_quit[], peer_sleep[], peer_spin_lo[], peer_spin_hi[], peer_gate[];
uint64_t peer_spin(volatile uint64_t *turns, const volatile uint32_t *stop);
void peer_registers(uint64_t out[16]);

#endif
