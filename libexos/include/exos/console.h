/* SPDX-License-Identifier: MIT */
/*
 * console.h - text out and in.
 *
 * Over the console service's gate (grant `console`); without one, straight to the serial port by
 * its PORT claim (grant `uart`, or the first program's roots); without either, text is dropped
 * and reads find the end.  Neither malloc nor demand-zero memory is used for writing.
 */
#ifndef EXOS_CONSOLE_H
#define EXOS_CONSOLE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Formatted text (base/format.h); the number of bytes. */
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *format, va_list args);
/* A string and a line end; a byte. */
int puts(const char *text);
int putchar(int byte);

/* Write bytes; the lines of several environments mix only between calls of up to 56 bytes. */
void exos_console_write(const void *text, size_t bytes);

/*
 * Read what is there, at most `bytes`; waits for the first until the deadline (TSC, 0: none, 1:
 * do not wait).  0: nothing came; -EXO_E_ABSENT: there is no console.
 */
int64_t exos_console_read(void *buffer, size_t bytes, uint64_t deadline_tsc);

/* Bytes of input that were lost because nobody took them in time, since the last call. */
uint64_t exos_console_lost(void);

/*
 * A line with echo and backspace, without its end, NUL-terminated: its length; -EXO_E_RANGE:
 * longer than bytes - 1 (the rest is swallowed); -EXO_E_ABSENT: no console.
 */
int64_t exos_console_line(char *buffer, size_t bytes);

/* Let another program read from now on, and take the console back. */
void exos_console_detach(void);

/* How text gets out and in; a program may install another (NULL: the default again). */
struct exos_console_ops {
	void    (*write)(const char *text, size_t bytes);
	int64_t (*read)(char *buffer, size_t bytes, uint64_t deadline_tsc);
};
void exos_console_ops_set(const struct exos_console_ops *ops);

/* From now on by this gate: for the first program, once it has started the console service. */
void exos_console_gate_set(uint64_t gate);

#endif
