/* SPDX-License-Identifier: MIT */
/*
 * traps.c - exceptions of each kind, as system.h wants them, on exo: handlers of the library.
 */
#include <exos/pager.h>
#include <exos/upcall.h>

#include "system.h"

volatile uint64_t system_traps;

/* SDM 3A, table 6-1. */
static const uint32_t vector[SYSTEM_TRAPS] = {
	[SYSTEM_DIVIDE] = 0, [SYSTEM_ALIGN] = 17, [SYSTEM_PROTECTION] = 13,
	[SYSTEM_COPROCESSOR] = 16, [SYSTEM_STORE] = EXO_TRAP_PAGE_FAULT,
};

static int step_over(struct exo_context *context, void *argument)
{
	context->rip += (uintptr_t)argument;
	system_traps++;
	return 0;
}

/* A page that is not there yet is the pager's. */
static int store_step_over(struct exo_context *context, void *argument)
{
	if (!(context->error & EXOS_FAULT_PRESENT))
		return exos_pager_handle(context, NULL);
	return step_over(context, argument);
}

int system_trap_handle(enum system_trap kind, uint32_t bytes)
{
	exos_fault_handler *handler = kind == SYSTEM_STORE ? store_step_over : step_over;

	return exos_upcall_handle(vector[kind], bytes ? handler : NULL, (void *)(uintptr_t)bytes);
}
