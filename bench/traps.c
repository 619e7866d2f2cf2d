/* SPDX-License-Identifier: MIT */
/*
 * traps.c - exceptions of each kind, as system.h wants them, on exo: handlers of the library.
 */
#include <exos/upcall.h>

#include "system.h"

volatile uint64_t system_traps;

/* SDM 3A, table 6-1. */
static const uint32_t vector[SYSTEM_TRAPS] = {
	[SYSTEM_DIVIDE] = 0, [SYSTEM_ALIGN] = 17, [SYSTEM_PROTECTION] = 13,
	[SYSTEM_COPROCESSOR] = 16,
};

static int step_over(struct exo_context *context, void *argument)
{
	context->rip += (uintptr_t)argument;
	system_traps++;
	return 0;
}

int system_trap_handle(enum system_trap kind, uint32_t bytes)
{
	return exos_upcall_handle(vector[kind], bytes ? step_over : NULL, (void *)(uintptr_t)bytes);
}
