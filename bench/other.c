/* SPDX-License-Identifier: MIT */
/*
 * other.c - another program: started by others.c, it counts in exit_code of its environment page,
 * which its starter sees.
 *
 * With a claim `next` it reads argv[1] bytes and gives the processor on; without, it changes the
 * rights of a page of its own.
 */
#include <base/format.h>
#include <exos/call.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/start.h>

#include "bench.h"

#define READ_WRITE (EXO_R_READ | EXO_R_WRITE)
#define BYTES_MAX  65536u

static uint64_t own[BYTES_MAX / 8];

static void ring_for_ever(exo_slot next, uint32_t lines)
{
	if (lines)
		bench_touch(own, (lines + 63) / 64);    /* so that it is there */
	for (;;) {
		exos_page()->exit_code++;
		bench_read(own, lines);
		exo_env_yield(next);
	}
}

static void work_for_ever(void)
{
	uint64_t pfn;
	exo_slot claim;
	struct exo_map_op op[2];

	if (exos_frame_alloc(1, &pfn, &claim) < 0)
		return;
	op[0] = (struct exo_map_op){
		.va = (uintptr_t)exos_space_window(claim, pfn, 1, READ_WRITE, NULL), .pages = 1,
		.op = EXO_PROTECT, .prot = EXO_R_READ,
	};
	op[1] = op[0];
	op[1].prot = READ_WRITE;
	for (uint32_t i = 0; op[0].va; i ^= 1) {
		if (exo_space_update(exos_space_own.slot, (uintptr_t)&op[i], 1) != 1)
			return;
		exos_page()->exit_code++;
	}
}

int main(int argc, char **argv)
{
	const struct exos_grant *next = exos_grant("next", 0);
	const char *end;
	uint64_t bytes = 0;

	if (argc > 1 && (parse_u64(argv[1], &end, &bytes) < 0 || bytes > BYTES_MAX))
		return 1;
	if (next)
		ring_for_ever(next->slot, (uint32_t)bytes / 64);
	work_for_ever();
	return 1;
}
