/* SPDX-License-Identifier: MIT */
/*
 * traps.c - exceptions of each kind, as system.h wants them, on Linux: signals.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <ucontext.h>

#include "linux.h"

volatile uint64_t system_traps;
static uint32_t step;

static const int number[SYSTEM_TRAPS] = {
	[SYSTEM_DIVIDE] = SIGFPE, [SYSTEM_ALIGN] = SIGBUS, [SYSTEM_PROTECTION] = SIGSEGV,
	[SYSTEM_COPROCESSOR] = SIGFPE, [SYSTEM_STORE] = SIGSEGV,
};

static void step_over(int which, siginfo_t *info, void *context)
{
	(void)which, (void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += step;
	system_traps++;
}

int system_trap_handle(enum system_trap kind, uint32_t bytes)
{
	struct sigaction action = { .sa_sigaction = step_over, .sa_flags = SA_SIGINFO };

	step = bytes;
	if (!bytes) {
		action.sa_flags = 0;
		action.sa_handler = SIG_DFL;
	}
	return sigaction(number[kind], &action, NULL);
}
