/* SPDX-License-Identifier: MIT */
/*
 * enter.h - going to user mode, and what entries from it leave on the kernel's stack.
 */
#ifndef EXO_X86_ENTER_H
#define EXO_X86_ENTER_H

#include <exo/env.h>
#include <exo/space.h>
#include <stdint.h>

#include "x86/offsets.h"

struct call_context;

/* Registers as entry.S pushes them. */
struct regs {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* To user mode, behind a system call; registers that a C function may change are 0. */
_Noreturn void enter_call(const struct call_context *ctx);
/* To user mode with all of these. */
_Noreturn void enter_regs(const struct regs *r);
/* To rip with all other registers 0 but rsp and rdi. */
_Noreturn void enter_fresh(uint64_t rip, uint64_t rsp, uint64_t rdi);

static inline _Noreturn void enter_start(uint64_t rip, uint64_t rdi) { enter_fresh(rip, 0, rdi); }
static inline _Noreturn void enter_upcall(uint64_t rip, uint64_t rsp) { enter_fresh(rip, rsp, 0); }

/* An entry address that user mode may change at any time: read once; 0 if it is none. */
static inline uint64_t user_entry(const uint64_t *rip)
{
	uint64_t v = __atomic_load_n(rip, __ATOMIC_RELAXED);

	return v < EXO_USER_TOP ? v : 0;
}

/* To what a saved context says, as far as user mode may; stops the environment if it cannot. */
_Noreturn void enter_context(const struct exo_context *area);

void context_save(struct exo_context *area, const struct regs *r, uint64_t vector);

#endif
