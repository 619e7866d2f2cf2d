/* SPDX-License-Identifier: MIT */
/*
 * parts.h - the suite's program in further roles: applications that tests start side by side.
 */
#ifndef GUEST_PARTS_H
#define GUEST_PARTS_H

#include <stddef.h>

/* The suite's own ELF file out of the boot archive; NULL and a noted failure if it is not there. */
const void *parts_program(size_t *bytes);

/* Started with `part NAME ...`: play it; the exit code. */
int parts_play(int argc, char **argv);

/* hostile.c: use the environment page in every way, without end. */
int hostile_part(void);

/* revoke.c: use memory that can be asked for, and give it up, or ignore what is asked. */
int citizen_part(void);
int miser_part(void);

/* revoke_cache.c: read the disk through a block cache, hear of requests for memory, or not. */
int reader_part(void);
int deaf_reader_part(void);

#endif
