/* SPDX-License-Identifier: MIT */
/*
 * setup.h - bringing up CPUs.
 */
#ifndef EXO_X86_SETUP_H
#define EXO_X86_SETUP_H

#include <stdint.h>

struct cpu;

/* Fill the interrupt table that all CPUs use; once. */
void idt_start(void);

/* Make the structure and stacks of a CPU (boot only). */
struct cpu *cpu_make(unsigned number, uint32_t apic_id);

/* Set up the calling CPU as `c`. */
void cpu_start(struct cpu *c);

/* Start all other CPUs that were made; those that stay silent are said and left out. */
void cpus_start(void);

/* Let the started CPUs schedule. */
void cpus_release(void);

/* gdt.S: load kernel segments after a new descriptor table. */
void load_segments(void);

/* sched.c */
_Noreturn void cpu_start_scheduling(void);

#endif
