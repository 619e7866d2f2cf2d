/* SPDX-License-Identifier: MIT */
/*
 * trap.h - what entry.S calls, and what it and copy.S define.
 */
#ifndef EXO_X86_TRAP_H
#define EXO_X86_TRAP_H

#include <stdint.h>

struct regs;
struct cpu;

/* Called from entry.S with what it pushed. */
void trap(struct regs *r);
void trap_alone(struct regs *r);

void syscall_entry(void);
extern char interrupt_stubs[];          /* 16 bytes a vector */

/* copy.S */
extern char copy_begin[], copy_end[], copy_failed[];
int copy_user(void *dst, const void *src, uint64_t bytes);
int copy_user_32(void *dst, const void *src);

/* tlb.c: do what other CPUs asked of this one. */
void tlb_answer(void);

/* sched.c: the timer fired while an environment runs. */
void sched_timer(struct cpu *c);

/* panic.c: last words about an exception. */
_Noreturn void panic_regs(const struct regs *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
