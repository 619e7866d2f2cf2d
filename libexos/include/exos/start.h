/* SPDX-License-Identifier: MIT */
/*
 * start.h - what a program finds when it starts, where things stand in its space, and its end.
 *
 * The kernel enters a program with rdi = address of its environment page and nothing else.  The
 * `user` part of that page begins with struct exo_first in the first program and with struct
 * exos_start in each program that another one started.
 *
 * Invariant: a starter fills all of struct exos_start; a program trusts its starter (who holds its
 * memory), so that sizes are checked but pointers are not.
 */
#ifndef EXOS_START_H
#define EXOS_START_H

#include <exo/env.h>
#include <exo/machine.h>
#include <exo/types.h>
#include <stdbool.h>

/*
 * Layout of a started program.  The top of the stack, the environment page, the start block, the
 * first table frames and what fits of the image share one page table: 2 MiB at 0xc00000.  A guard
 * page lies above and below the stack.  Table frames behind EXOS_TABLE_END: EXOS_SLOTS_VA.
 */
#define EXOS_STACK_LO   0x0000000000440000ul    /* stack of the first thread, demand-zero */
#define EXOS_STACK_HI   0x0000000000c40000ul
#define EXOS_ENV_VA     0x0000000000c41000ul    /* environment page */
#define EXOS_START_VA   0x0000000000c42000ul    /* start block: grants, arguments; read-write */
#define EXOS_START_END  0x0000000000cc0000ul
#define EXOS_TABLE_VA   0x0000000000cc0000ul    /* capability table frames, read-only */
#define EXOS_TABLE_END  0x0000000000d80000ul
#define EXOS_IMAGE_VA   0x0000000000d80000ul    /* program images; libexos/x86/program.ld */
#define EXOS_IMAGE_END  0x0000000014000000ul
#define EXOS_POOL_VA    0x0000000014000000ul    /* bitmaps of the frame allocator */
#define EXOS_POOL_END   0x0000000018000000ul
#define EXOS_EXPORT_VA  0x0000000018000000ul    /* the kernel's export area: read-only */
#define EXOS_EXPORT_END 0x0000000020000000ul
#define EXOS_NEAR_VA    0x0000000020000000ul    /* first of exos_space_reserve */
#define EXOS_NEAR_END   0x000000003fe00000ul
#define EXOS_HEAP_VA    0x0000000100000000ul    /* heap, demand-zero */
#define EXOS_HEAP_END   0x0000008000000000ul
#define EXOS_SLOTS_VA   0x0000008000000000ul    /* more table frames: room for all that sids name */
#define EXOS_SLOTS_END  0x000000c000000000ul
#define EXOS_LIST_VA    0x000000c000000000ul    /* the list of a table of many frames */
#define EXOS_LIST_END   0x000000c100000000ul
#define EXOS_AREA_VA    0x0000010000000000ul    /* the others of exos_space_reserve */
#define EXOS_AREA_END   0x0000400000000000ul

/* A named claim in the program's table.  The same names stand in the starter's table of grants. */
struct exos_grant {
	char     name[16];      /* NUL-terminated; see the list below */
	exo_slot slot;          /* its name in the program's own table */
	uint64_t lo, hi;        /* as in the claim, half-open (struct exo_cap) */
	uint32_t kind;          /* enum exo_kind */
	uint32_t unit;          /* as in the claim; other kinds: free for starter and program */
};
_Static_assert(sizeof(struct exos_grant) == 48, "exos_grant");

/*
 * Names with a fixed meaning:
 *   env      ENV     the program's own environment
 *   space    SPACE   the space it runs in
 *   table    TABLE   its first table frame
 *   memory   FRAME   memory that is its own to use; may stand there several times
 *   image    FRAME   share of the frames of its image and start block
 *   console  GATE    the console service
 *   parent   ENV     a doorbell of the starter
 *   export   FRAME   share of the kernel's export area
 *   archive  FRAME   share of the boot archive
 *   acpi     FRAME   share of the ACPI tables; may stand there several times
 *   trace    TRACE   reading of kernel objects
 *   slots    SLOT    time slots; one for each CPU, unit = CPU
 *   disk     BLOCK   blocks of a disk; unit = disk
 *   nic      NIC     packets of a NIC; unit = NIC
 *   uart     PORT    the serial port's registers
 * Any other name is between starter and program.
 */

#define EXOS_START_MAGIC   0x7472617473736f78ul         /* "xosstart" */
#define EXOS_START_VERSION 1u

/* The first four words are those of struct exo_first. */
struct exos_start {
	uint64_t magic;
	uint64_t page_va;       /* environment page, usually EXOS_ENV_VA */
	uint64_t table_va;      /* table frames, mapped read-only, consecutive addresses */
	uint64_t table_frames;
	uint32_t version;       /* EXOS_START_VERSION */
	uint32_t bytes;         /* of this struct */
	uint64_t image_lo, image_hi;    /* addresses of its image, page aligned */
	uint64_t grants_va;     /* struct exos_grant[grants] */
	uint64_t argv_va;       /* char *[argc + 1], the last NULL */
	uint32_t grants;
	uint32_t argc;
	uint64_t tsc_hz;        /* time stamps a second */
	uint64_t machine_va;    /* the export area if the starter mapped it, else 0 */
	uint64_t spare[4];
};
_Static_assert(sizeof(struct exos_start) <= 0x600, "exos_start fits the environment page");

/* Written by each program. */
int main(int argc, char **argv);

/* The environment page of the caller: of this environment, where several share one space. */
struct exo_env_page *exos_page(void);

/* The block of the first program, or NULL in all others; and the other way round. */
const struct exo_first *exos_first(void);
const struct exos_start *exos_started(void);

/*
 * The n-th grant of this name (n from 0), or NULL.  In the first program: `env`, `space`,
 * `table`, `export`, `trace`, `memory`, `archive`, `acpi`, `slots`, `disk`, `nic` and `uart`
 * made from its root claims.
 */
const struct exos_grant *exos_grant(const char *name, unsigned n);

/* All grants, in order; NULL at the end. */
const struct exos_grant *exos_grant_at(unsigned index);

/* The export area, mapped read-only, or NULL if it was not granted. */
const struct exo_machine *exos_machine(void);
/* An address in it, from its start. */
const void *exos_machine_at(uint64_t offset);

/* End the program: code into exit_code, the starter's doorbell, exo_env_exit. */
_Noreturn void exos_exit(int code);

#endif
