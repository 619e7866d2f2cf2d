/* SPDX-License-Identifier: MIT */
/*
 * spawn_parts.h - what the files of spawn share: one start in the making.
 */
#ifndef LIBEXOS_SPAWN_PARTS_H
#define LIBEXOS_SPAWN_PARTS_H

#include <exos/elf.h>
#include <exos/space.h>
#include <exos/spawn.h>

#define SPAWN_OWN_GRANTS 6u     /* env, space, table, memory, image, parent */

/* Slots that every child takes, side by side from child->run on. */
enum spawn_slot {
	SPAWN_MEMORY,
	SPAWN_ENV,
	SPAWN_TABLE,            /* the first */
	SPAWN_IMAGE,
	SPAWN_SPACE,
	SPAWN_PT,               /* of levels 1 to 3 */
	SPAWN_BETWEEN = SPAWN_PT + 3,   /* what others are derived from for a moment */
	SPAWN_SLOTS
};

struct spawn {
	const struct exos_spawn *request;
	const struct exo_cap *cap;      /* the claims in those slots */
	struct exos_child *child;
	struct elf_program program;
	struct exos_space space;        /* the child's */
	struct exo_map_op *op;          /* changes of it that are not made yet; spawn_map.c */
	uint32_t ops;
	uint64_t next;          /* first frame of the child's memory that is not used yet */
	uint64_t image_pfn, image_pages;        /* what is not shared of the image, start block */
	struct spawn_share {
		exo_slot claim;         /* ours on the archive's frames; 0: it is copied */
		uint64_t pfn;           /* of its first page */
	} share[ELF_SEGMENTS];
	uint64_t start_pages, start_bytes;      /* of these, the start block */
	uint64_t tables;        /* table frames */
	uint64_t unset_pages;   /* of image_pages, the first ones, which stay as they are */
	uint8_t *window;        /* the others, mapped here while they are filled */
	struct exos_grant *grant;       /* in the start block */
	uint32_t grants;
	exo_sid  dst;           /* the child's next empty slot */
};

/* Make room for `count` more slots: no memory is touched for the first time when they are kept. */
int spawn_room(struct exos_child *child, uint32_t count);

/* The sid of one of the slots that every child takes. */
static inline exo_sid spawn_sid(const struct spawn *s, enum spawn_slot which)
{
	return s->child->run + which;
}

/* Derive a part of the child's memory, or make an object of its next frames, in such a slot. */
int spawn_narrow(struct spawn *s, enum spawn_slot which, uint64_t lo, uint64_t hi, uint32_t rights,
		 exo_slot *out);
int spawn_object(struct spawn *s, enum spawn_slot which, uint32_t kind, uint64_t arg,
		 uint64_t frames, exo_slot *out);

/* The slots that were kept. */
exo_slot *spawn_slots(struct exos_child *child);

/* Keep a slot that one of the child's objects took, to free it when the child ended. */
int spawn_keep(struct exos_child *child, exo_slot slot);

/* Note what failed, and return `error`. */
int spawn_fail(struct spawn *s, const char *why, int error);

/* spawn_image.c: what of the image needs frames, and their contents. */
int spawn_image_size(struct spawn *s);
int spawn_image_fill(struct spawn *s);

/* spawn_map.c: map image, start block, page and tables in the child's space. */
int spawn_space_fill(struct spawn *s);

/* spawn_grant.c: the child's claims, and what it reads about them. */
uint64_t spawn_start_bytes(const struct exos_spawn *request);
int spawn_grant_all(struct spawn *s);
void spawn_describe(struct spawn *s);

#endif
