/* SPDX-License-Identifier: MIT */
/*
 * gate.h - calling gates, and serving them.
 *
 * A server waits in exos_event_run (or exo_env_wait) for its events; calls enter it there, one
 * caller at a time, on the gate stack (16 KiB, always mapped), on the caller's slice.
 */
#ifndef EXOS_GATE_H
#define EXOS_GATE_H

#include <exo/gate.h>
#include <exo/types.h>

/* What goes over, both ways. */
struct exos_gate_message {
	uint64_t word[EXO_GATE_WORDS];
	exo_slot cap;           /* claim to pass, or received, or 0 */
};

/*
 * Call once: words and claim out of the message, answers into it. The callee's result (>= 0), or
 * -EXO_E_*. To receive a claim, set gate_open of the environment page first (exos_gate_open).
 */
int64_t exos_gate_call_once(exo_slot gate, struct exos_gate_message *message);

/* The same; while another caller is inside, lends the slice to the callee and tries again. */
int64_t exos_gate_call(exo_slot gate, struct exos_gate_message *message);

/* Reserve a slot for the next claim that a call or return brings; 0 or -EXO_E_ROOM. */
int exos_gate_open(void);

/*
 * A service: `call` gets the mark of the gate it was called by, and the message, and answers in
 * the message; its result (>= 0) is the caller's.  A claim received is in message->cap (0: none)
 * and the service's to drop; set message->cap to pass one back (0: none).
 */
struct exos_gate_service {
	int64_t (*call)(struct exos_gate_service *service, uint32_t mark,
			struct exos_gate_message *message);
	uint32_t index;         /* the library's: 1 + place in its list, 0: not yet entered */
};

/* A gate to a service of this program, in a fresh slot. mark: below 2^24. 0 or -EXO_E_*. */
int exos_gate_make(struct exos_gate_service *service, uint32_t mark, exo_slot *gate);

#endif
