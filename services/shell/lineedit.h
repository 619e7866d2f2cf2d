/* SPDX-License-Identifier: MIT */
/*
 * lineedit.h - a line editor for a terminal that may as well be a pipe.
 *
 * Bytes go in one at a time; text for the terminal comes out through a function.  A byte typed at
 * the end of the line is echoed as it is and nothing else is sent, so a dumb input sees a plain
 * echo.  Nothing here waits, allocates or knows where bytes come from.
 */
#ifndef SHELL_LINEEDIT_H
#define SHELL_LINEEDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_MAX      4096u     /* bytes of a line with its NUL */
#define LINE_HISTORY  16384u    /* bytes of all remembered lines with their NULs */
#define LINE_COLUMNS  79u       /* columns used when a line is drawn again */

enum line_result {
	LINE_MORE,      /* nothing yet */
	LINE_READY,     /* a line is in text, ended by NUL */
	LINE_TOO_LONG,  /* Enter behind more than LINE_MAX - 1 bytes: the whole line is lost */
	LINE_CANCEL,    /* Ctrl-C */
	LINE_END,       /* Ctrl-D on an empty line */
};

typedef void line_sink(void *context, const char *text, size_t bytes);

struct lineedit {
	line_sink  *sink;
	void       *context;
	const char *prompt;             /* ASCII, shorter than LINE_COLUMNS / 2 */
	size_t      length, cursor;     /* bytes; cursor <= length < LINE_MAX */
	size_t      lost;               /* bytes that found no room */
	size_t      history_bytes;
	size_t      recall;             /* the recalled line in history; history_bytes: none */
	bool        windowed;           /* drawn on one row, scrolled sideways */
	bool        was_return;         /* the last byte was CR: a LF is its other half */
	uint8_t     escape;             /* state within an escape sequence */
	uint32_t    parameter;          /* number within it */
	char        text[LINE_MAX];
	char        draft[LINE_MAX];    /* the line being typed while old ones are shown */
	char        history[LINE_HISTORY];      /* oldest first */
};

/* Make an editor.  prompt must live as long as it does. */
void line_init(struct lineedit *e, const char *prompt, line_sink *sink, void *context);

/* Begin a new line: empty it and show the prompt. */
void line_begin(struct lineedit *e);

/* Take one byte of input.  After anything but LINE_MORE, call line_begin before the next. */
enum line_result line_byte(struct lineedit *e, uint8_t byte);

#endif
