/* SPDX-License-Identifier: MIT */
/*
 * machine.h - reading the machine from its exported tables.
 *
 * What is read changes meanwhile: a list is a picture of a moment, and of no single one.  Nothing
 * is locked and nothing is asked of the kernel but to map object frames for reading.
 */
#ifndef SHELL_MACHINE_H
#define SHELL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <exo/cap.h>
#include <exo/env.h>
#include <exo/machine.h>

/* Frames [pfn, pfn + count) with one holder and use; entry: of the first, if they are alone. */
struct frame_run {
	uint64_t pfn, count;
	exo_sid  holder;
	uint8_t  use;                   /* enum exo_use */
	const struct exo_frame *entry;  /* NULL where a whole chunk has one holder */
};
typedef void frame_visit(void *context, const struct frame_run *run);

/* All frames of the owner map, in order; those alike and next to each other mostly as one run. */
void machine_frames(frame_visit *visit, void *context);

/* The environment whose table the slot lies in, or 0. */
uint64_t machine_holder(exo_sid sid);

/*
 * Copy an object frame (TABLE, ENVPAGE or PT) through a TRACE mapping: false if that is refused.
 * out: EXO_PAGE_SIZE bytes.
 */
bool machine_copy(uint64_t pfn, void *out);

/* An environment, as its page shows it. */
#define ENV_NAME 24u
struct env_info {
	uint64_t pfn;                   /* its name */
	char     name[ENV_NAME];        /* what its starter wrote there; printable */
	bool     readable;              /* its page could be read: the rest is valid */
	uint32_t stop_reason, cpu;
	uint64_t space, calls, faults, slices, preempted;
	uint64_t upcalls, slices_begun, packets, blocks, invalidations, vector_saves, copied;
	uint64_t exit_code;
	uint64_t frames[EXO_USE_COUNT]; /* that its claims hold, by use */
	uint32_t slots;                 /* time slots that name it */
	int32_t  running;               /* CPU it is on now, or -1 */
};
struct env_list {
	struct env_info *at;            /* by pfn */
	size_t count, room;
};

/* All environments; false if memory ran out (what is there is valid). */
bool env_list_take(struct env_list *list);
void env_list_free(struct env_list *list);
struct env_info *env_list_find(const struct env_list *list, uint64_t pfn);

/* Write "NAME" or, without a name, its frame number; into a buffer of ENV_NAME bytes. */
const char *env_list_name(const struct env_list *list, uint64_t pfn, char out[ENV_NAME]);

/* Names of uses and kinds. */
const char *use_text(unsigned use);
const char *kind_text(unsigned kind);

#endif
