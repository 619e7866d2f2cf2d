/* SPDX-License-Identifier: MIT */
/*
 * lapic.h - the local interrupt controller of each CPU: timer, interrupts to other CPUs.
 */
#ifndef EXO_X86_LAPIC_H
#define EXO_X86_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/* Map the registers (boot only); switch the calling CPU's controller on. */
void lapic_map(uint64_t pa);
void lapic_start(void);
uint32_t lapic_id(void);

/* Find the frequencies of timer and time stamp; pm_port: the ACPI timer's port, 0: use the PIT. */
void clock_calibrate(uint16_t pm_port);
extern uint64_t tsc_hz;

/* Interrupt this CPU when the time stamp reaches `tsc`. */
void lapic_arm(uint64_t tsc);

void lapic_eoi(void);
/* Is this interrupt being handled, taken and not yet ended?  vector: 0 to 255. */
bool lapic_in_service(unsigned vector);

/*
 * Have a CPU look again at what it should run.  The calling CPU itself does so when it leaves a
 * call or an interrupt.
 */
void lapic_kick(struct cpu *c);
/* Send a vector to one CPU, or the start-up sequence to one that has not started. */
void lapic_send(uint32_t apic_id, unsigned vector);
void lapic_send_init(uint32_t apic_id);
void lapic_send_startup(uint32_t apic_id, uint64_t page);
/* Stop all other CPUs for good (last words).  Was that done?  Others may send the vector too. */
void lapic_halt_others(void);
bool lapic_halt_wanted(void);

/* Wait, with interrupts off. */
void delay_us(uint64_t us);

#endif
