/* SPDX-License-Identifier: MIT */
/*
 * panic.c - last words of a program.
 *
 * Invariant: a panic within a panic ends at once, without words.
 */
#include <exos/console.h>
#include <exos/error.h>
#include <exos/start.h>
#include <stdarg.h>

static int panicking;

_Noreturn void exos_panic(const char *format, ...)
{
	va_list args;

	if (__atomic_exchange_n(&panicking, 1, __ATOMIC_ACQ_REL))
		exos_exit(EXOS_EXIT_PANIC);
	printf("panic: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exos_exit(EXOS_EXIT_PANIC);
}
