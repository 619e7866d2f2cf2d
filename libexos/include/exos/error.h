/* SPDX-License-Identifier: MIT */
/*
 * error.h - texts of errors, and the end of a program that cannot go on.
 */
#ifndef EXOS_ERROR_H
#define EXOS_ERROR_H

#include <exo/errors.h>
#include <stdint.h>

/* The text of a kernel error: code -EXO_E_* or EXO_E_*; 0 is "no error". Never NULL. */
const char *exo_error_text(int64_t code);

/* Its short name, "STALE"; "OK" for 0; "?" if unknown. */
const char *exo_error_name(int64_t code);

/* Exit code of a program that panicked or met a fault it could not handle. */
#define EXOS_EXIT_PANIC 0xdead
#define EXOS_EXIT_FAULT 0xfa17

/* Say what happened on the console and exit with EXOS_EXIT_PANIC. */
_Noreturn void exos_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Believed always true: else a panic that names expression, file and line. */
#define exos_assert(expression) \
	((expression) ? (void)0 : \
	 exos_panic("%s:%d: not true: %s", __FILE__, __LINE__, #expression))

#endif
