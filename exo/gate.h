/* SPDX-License-Identifier: MIT */
/*
 * gate.h - gate calls: control moves to another environment's entry and back, on one slice.
 */
#ifndef EXO_GATE_INTERNAL_H
#define EXO_GATE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct env;

/*
 * Called from x86/entry.S, the caller's context being saved, for what x86/handover.S leaves.  0:
 * the other environment is the present one and gate_rip, gate_rsp, gate_rdi, gate_rsi of the CPU
 * say how to enter it; else an error for the present one.
 */
int64_t gate_call(struct env *e, uint64_t gate, uint64_t cap);
int64_t gate_return(struct env *e, uint64_t result, uint64_t cap);

/* Called from x86/handover.S: events came for the callee e or its caller while e returned. */
void gate_returned(struct env *e, struct env *caller);

/* End the call of an environment whose alarm came: false while its callee runs on some CPU. */
bool gate_cut(struct env *e);

/* An environment has stopped: its caller gets an error, its callee goes on without it. */
void gate_forsake(struct env *e);

#endif
