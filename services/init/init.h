/* SPDX-License-Identifier: MIT */
/*
 * init.h - what the files of the first program share.
 *
 * init holds every claim that the kernel did not keep.  It starts the console and the shell (or
 * the program `app`), gives them what grants.c says, watches them, and switches the machine off.
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include <stdbool.h>
#include <stdint.h>

#include <exos/spawn.h>

/* Who a claim is for: bits of struct policy.who. */
#define FOR_CONSOLE 0x01u
#define FOR_SHELL   0x02u
#define FOR_APP     0x04u

/* Slots of CPU 0 that init keeps: its own, and the ones it names console and shell in. */
#define SLOT_CONSOLE_STEP 16u   /* slots 0, 16, 32, 48 */
#define SLOT_SHELL        62u
#define SLOT_INIT         63u
#define SLOTS_A_CPU       64u

#define UART_IRQ          4u    /* the global interrupt of the first serial port */

/* bootline.c: words of the boot line. */
struct bootline {
	bool app;               /* `app`: start the program app instead of the shell */
	bool debug_exit;        /* `debug-exit`: end through QEMU's debug-exit port */
};
void bootline_read(struct bootline *out);

/* banner.c */
void banner_print(const char *power);

/* grants.c: claims for a program; how many.  At most GRANTS_MAX. */
#define GRANTS_MAX 256u
uint32_t grants_for(uint32_t who, struct exos_spawn_grant *out);
/* The gates to the console service: two to write and read, one only to write; 0: none. */
#define CONSOLE_GATES 3u
extern exo_slot console_gate[CONSOLE_GATES];

/* memory.c: nearly all memory for one program. */
uint64_t memory_lend(struct exos_spawn_grant *out, uint32_t *count, uint32_t room);
void memory_back(void);

/* console.c: start and end the console service; 0 or an error, which it has told. */
int  console_start(void);
void console_end(void);
bool console_runs(void);
uint32_t console_event(void);    /* posted when it stops; 0: it was not started */

/* time.c */
void time_start(void);
exo_slot time_claim(uint32_t cpu);

/* power.c: look for the way to switch off (NULL, or why there is none); go it. */
const char *power_find(void);
_Noreturn void power_off(bool debug_exit, int code);

/* program.c: read a program from the boot archive and start it; 0 or an error, which it told. */
int program_start(const char *name, struct exos_spawn *request, struct exos_child *child);
/* Say how a program ended, from its environment page. */
void program_tell(const char *name, const struct exo_env_page *page);

#endif
