/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - what every part of the kernel may use: console of last resort, panic, boot memory,
 * user memory, calls.
 */
#ifndef EXO_KERNEL_H
#define EXO_KERNEL_H

#include <base/string.h>
#include <base/util.h>
#include <exo/boot.h>
#include <exo/errors.h>
#include <exo/machine.h>
#include <exo/types.h>

#include "env.h"

/* Text on the serial port, for boot and last words only. */
void serial_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say once, in the exported machine page, what is missing. */
void machine_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Frames that the kernel keeps: only until boot ends.  Zeroed; panics when there are none. */
void *boot_frames(uint64_t count);

/* The same in the export area: readable by programs.  export_offset is what struct exo_machine
 * says. */
void *boot_export(uint64_t bytes);
uint64_t export_offset(const void *where);

/* Is this one of the blank-separated words of the boot line? */
bool boot_word(const char *word);

/* Map device registers uncached, for the kernel; only until boot ends. */
void *boot_map_device(uint64_t pa, uint64_t bytes);

/* Copy between user and kernel memory; -EXO_E_FAULT if any of it is not accessible to user mode. */
int copy_in(void *dst, uint64_t user, uint64_t bytes);
int copy_out(uint64_t user, const void *src, uint64_t bytes);

/*
 * Interrupt vectors for devices: a handler runs with interrupts off on the CPU it is routed to.
 * Returns the vector, or 0 when none is left.  For message-signalled interrupts use
 * address = msi_address(cpu), data = vector.
 */
typedef void interrupt_handler(void *context);
unsigned vector_take(interrupt_handler *handler, void *context);
void vector_context(unsigned vector, void *context);    /* another one for a vector taken */
uint64_t msi_address(unsigned cpu);

/* For a handler that leaves work undone: it is called again, after others that wait. */
void interrupt_again(void);

/* A number that programs cannot guess: the processor's, or at least the time of boot. */
uint64_t cpu_entropy(void);

extern struct exo_machine *machine;
extern struct exo_boot *boot_info;

#endif
