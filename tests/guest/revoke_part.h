/* SPDX-License-Identifier: MIT */
/*
 * revoke_part.h - a part of the suite that has a claim `extra` beside its memory, is asked for it,
 * and must live on without.
 */
#ifndef GUEST_REVOKE_PART_H
#define GUEST_REVOKE_PART_H

#include <exos/spawn.h>
#include <stdint.h>

/* What the part writes as its exit code, while it runs: its use of `extra` has begun. */
#define REVOKE_PART_FILLED 100

struct revoke_part {
	const char *name;
	uint32_t own, extra;    /* frames: its memory, and those that it is asked for */
	const struct exos_spawn_grant *grant;   /* one more that it gets, NULL: none */
};

/*
 * Start the part, wait until it has begun, and ask for its claim, with `ms` milliseconds to give
 * it.  exos_revoke must say `taken` (0: given, 1: by force), nothing of the claim may be mapped
 * then, and the part must end with 0.
 */
void revoke_part_ask(const struct revoke_part *part, uint64_t ms, int taken);

#endif
