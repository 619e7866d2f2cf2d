/* SPDX-License-Identifier: MIT */
/*
 * upcall.h - what the program does when the kernel calls it: faults, foreign calls, slices.
 *
 * Handlers run on the upcall stack (16 KiB, always mapped) with upcalls off: a fault in them is a
 * double fault, which says what happened and ends the program.  They use general registers only.
 */
#ifndef EXOS_UPCALL_H
#define EXOS_UPCALL_H

#include <exo/env.h>
#include <exo/types.h>

/*
 * Handle a fault or foreign call: return 0 to resume `context` (changed or not), or -EXO_E_* to
 * have the program end with a message.  All registers are in the context.
 */
typedef int exos_fault_handler(struct exo_context *context, void *argument);

/*
 * Install a handler for a vector: an exception (0 to 31), EXO_TRAP_INT80 or EXO_TRAP_FOREIGN.
 * NULL: the default again (page faults go to the pager, all else ends the program).  -EXO_E_ARG:
 * no such vector.  A page-fault handler may call exos_pager_handle.
 */
int exos_upcall_handle(uint64_t vector, exos_fault_handler *handler, void *argument);

/* The default of page faults: find the region and run its pager. */
int exos_pager_handle(struct exo_context *context, void *argument);

/*
 * Begin of a slice after an involuntary end: the interrupted registers in context.  May replace
 * *context by another saved context, which is then resumed.  NULL: resume unchanged without an
 * upcall.
 */
typedef void exos_slice_handler(struct exo_context *context);
void exos_upcall_slice(exos_slice_handler *handler);

/* The event ring moved while the program ran; NULL: no upcall, only the ring. */
void exos_upcall_event(exos_slice_handler *handler);

/* Leave all that is going on and continue with this context (copied first). */
_Noreturn void exos_context_resume(const struct exo_context *context);

/* Save the caller's context; returns 0 now and 1 when it is resumed. */
int exos_context_save(struct exo_context *context) __attribute__((returns_twice));

#endif
