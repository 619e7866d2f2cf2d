/* SPDX-License-Identifier: MIT */
/*
 * other.c - another program: started by others.c, it counts in exit_code of its environment page,
 * which its starter sees.
 *
 * With a claim `next` it reads argv[1] bytes and gives the processor on; without, it does work
 * argv[1] (enum system_work) over and over.  It ends only if something was refused.
 */
#include <base/format.h>
#include <exos/call.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/start.h>

#include "bench.h"
#include "system.h"

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

/* A page of our own, mapped; 0: there is none. */
static uint64_t page_make(uint64_t *pfn, exo_slot *claim)
{
	if (exos_frame_alloc(1, pfn, claim) < 0)
		return 0;
	return (uintptr_t)exos_space_window(*claim, *pfn, 1, READ_WRITE, NULL);
}

static void protect_for_ever(void)
{
	uint64_t pfn;
	exo_slot claim;
	struct exo_map_op op[2];

	op[0] = (struct exo_map_op){
		.va = page_make(&pfn, &claim), .pages = 1, .op = EXO_PROTECT, .prot = EXO_R_READ,
	};
	op[1] = op[0];
	op[1].prot = READ_WRITE;
	for (uint32_t i = 0; op[0].va; i ^= 1) {
		if (exo_space_update(exos_space_own.slot, (uintptr_t)&op[i], 1) != 1)
			return;
		exos_page()->exit_code++;
	}
}

static void user_for_ever(void)
{
	for (;; exos_page()->exit_code++)
		bench_empty(SYSTEM_USER_ROUNDS);
}

static void null_for_ever(void)
{
	while (exo_version() > 0)
		exos_page()->exit_code++;
}

static void map_for_ever(void)
{
	uint64_t pfn, va;
	exo_slot claim;

	va = page_make(&pfn, &claim);
	if (!va)
		return;
	while (exos_space_unmap(&exos_space_own, va, 1) == 0 &&
	       exos_space_map(&exos_space_own, va, claim, pfn, 1, READ_WRITE) == 0)
		exos_page()->exit_code++;
}

static void (*const works[SYSTEM_WORKS])(void) = {
	[SYSTEM_WORK_PROTECT] = protect_for_ever,
	[SYSTEM_WORK_USER] = user_for_ever,
	[SYSTEM_WORK_NULL] = null_for_ever,
	[SYSTEM_WORK_MAP] = map_for_ever,
};

int main(int argc, char **argv)
{
	const struct exos_grant *next = exos_grant("next", 0);
	const char *end;
	uint64_t number = 0;

	if (argc > 1 && (parse_u64(argv[1], &end, &number) < 0 || number > BYTES_MAX))
		return 1;
	if (next)
		ring_for_ever(next->slot, (uint32_t)number / 64);
	if (number < SYSTEM_WORKS)
		works[number]();
	return 1;
}
