/* SPDX-License-Identifier: MIT */
/*
 * lineedit.c - editing one line: keys, cursor, history.
 *
 * Invariant: cursor <= length < LINE_MAX, the cursor never stands inside a UTF-8 character, and
 * what the terminal shows is what is in text.
 */
#include "lineedit.h"

#include <base/format.h>
#include <base/string.h>
#include <base/util.h>

enum { ESCAPE_NONE, ESCAPE_START, ESCAPE_CSI, ESCAPE_SS3 };

#define CTRL(letter) ((letter) & 0x1f)

static void line_say(struct lineedit *e, const char *text)
{
	e->sink(e->context, text, strlen(text));
}

/* Is byte i of the line the second or later byte of a character? */
static bool line_inside(const struct lineedit *e, size_t i)
{
	return i < e->length && ((uint8_t)e->text[i] & 0xc0) == 0x80;
}

static size_t line_before(const struct lineedit *e, size_t i)
{
	if (i > 0)
		i--;
	while (i > 0 && line_inside(e, i))
		i--;
	return i;
}

static size_t line_after(const struct lineedit *e, size_t i)
{
	if (i < e->length)
		i++;
	while (line_inside(e, i))
		i++;
	return i;
}

/* Columns of the bytes [from, to): one a character. */
static size_t line_columns(const struct lineedit *e, size_t from, size_t to)
{
	size_t columns = 0;

	for (size_t i = from; i < to; i++)
		columns += !line_inside(e, i);
	return columns;
}

/*
 * Draw the line on one row, as much of it as fits around the cursor.  A line that has run over
 * several rows by plain typing is left there and drawn again on a row of its own: where rows end
 * depends on the terminal, which nobody asks.
 */
static void line_draw(struct lineedit *e)
{
	size_t room = LINE_COLUMNS - strlen(e->prompt);
	size_t from = e->cursor, to;
	char move[24];

	if (!e->windowed)
		line_say(e, "\r");
	for (size_t i = 1; i < room; i++)
		from = line_before(e, from);
	to = from;
	for (size_t i = 0; i < room; i++)
		to = line_after(e, to);
	line_say(e, "\r");
	line_say(e, e->prompt);
	e->sink(e->context, e->text + from, to - from);
	line_say(e, "\033[K");
	if (to > e->cursor) {
		format_buffer(move, sizeof(move), "\033[%zuD", line_columns(e, e->cursor, to));
		line_say(e, move);
	}
	e->windowed = true;
}

/* Before an edit that is not plain typing: is the line longer than a row of plain echo? */
static void line_edit(struct lineedit *e)
{
	if (!e->windowed && strlen(e->prompt) + line_columns(e, 0, e->length) > LINE_COLUMNS)
		line_say(e, "\r\n");
}

static void line_move(struct lineedit *e, size_t cursor)
{
	if (cursor == e->cursor)
		return;
	line_edit(e);
	e->cursor = cursor;
	line_draw(e);
}

/* Delete the bytes [from, to) and stand at from. */
static void line_delete(struct lineedit *e, size_t from, size_t to)
{
	if (from == to)
		return;
	line_edit(e);
	memmove(e->text + from, e->text + to, e->length - to);
	e->length -= to - from;
	e->cursor = from;
	line_draw(e);
}

static void line_replace(struct lineedit *e, const char *text)
{
	line_edit(e);
	e->length = string_copy(e->text, text, LINE_MAX);
	e->length = min_u64(e->length, LINE_MAX - 1);
	e->cursor = e->length;
	line_draw(e);
}

/* Is all of the line on the row that it is drawn on, the last column free? */
static bool line_fits(const struct lineedit *e)
{
	return strlen(e->prompt) + line_columns(e, 0, e->length) < LINE_COLUMNS;
}

static void line_insert(struct lineedit *e, uint8_t byte)
{
	if (e->lost > 0 || e->length == LINE_MAX - 1) {
		e->lost++;
		return;
	}
	memmove(e->text + e->cursor + 1, e->text + e->cursor, e->length - e->cursor);
	e->text[e->cursor++] = (char)byte;
	e->length++;
	if (e->cursor == e->length && (!e->windowed || line_fits(e)))
		e->sink(e->context, (const char *)&byte, 1);
	else
		line_draw(e);
}

/* The word before the cursor, with the spaces behind it. */
static size_t line_word(const struct lineedit *e)
{
	size_t i = e->cursor;

	while (i > 0 && e->text[i - 1] == ' ')
		i--;
	while (i > 0 && e->text[i - 1] != ' ')
		i--;
	return i;
}

/* Remember the line, unless it is empty or the same as the last one. */
static void history_add(struct lineedit *e)
{
	size_t bytes = e->length + 1;
	size_t drop = 0;

	if (e->length == 0)
		return;
	if (e->history_bytes >= bytes &&
	    memcmp(e->history + e->history_bytes - bytes, e->text, bytes) == 0 &&
	    (e->history_bytes == bytes || e->history[e->history_bytes - bytes - 1] == '\0'))
		return;
	while (e->history_bytes - drop + bytes > LINE_HISTORY)
		drop += strlen(e->history + drop) + 1;
	memmove(e->history, e->history + drop, e->history_bytes - drop);
	e->history_bytes -= drop;
	memcpy(e->history + e->history_bytes, e->text, bytes);
	e->history_bytes += bytes;
}

static void history_older(struct lineedit *e)
{
	size_t i = e->recall;

	if (i == 0)
		return;
	if (i == e->history_bytes) {
		memcpy(e->draft, e->text, e->length);
		e->draft[e->length] = '\0';
	}
	i--;                            /* onto the NUL of the line before */
	while (i > 0 && e->history[i - 1] != '\0')
		i--;
	e->recall = i;
	line_replace(e, e->history + i);
}

static void history_newer(struct lineedit *e)
{
	if (e->recall == e->history_bytes)
		return;
	e->recall += strlen(e->history + e->recall) + 1;
	line_replace(e, e->recall == e->history_bytes ? e->draft : e->history + e->recall);
}

void line_init(struct lineedit *e, const char *prompt, line_sink *sink, void *context)
{
	memset(e, 0, sizeof(*e));
	e->prompt = prompt;
	e->sink = sink;
	e->context = context;
}

void line_begin(struct lineedit *e)
{
	e->length = 0;
	e->cursor = 0;
	e->lost = 0;
	e->windowed = false;
	e->escape = ESCAPE_NONE;
	e->recall = e->history_bytes;
	line_say(e, e->prompt);
}

static enum line_result line_enter(struct lineedit *e)
{
	line_say(e, "\r\n");
	e->text[e->length] = '\0';
	if (e->lost > 0)
		return LINE_TOO_LONG;
	history_add(e);
	return LINE_READY;
}

/* The last byte of an escape sequence, or its number: what key was it? */
static void line_key(struct lineedit *e, uint8_t last)
{
	switch (last == '~' ? e->parameter : last) {
	case 'A': history_older(e); break;
	case 'B': history_newer(e); break;
	case 'C': line_move(e, line_after(e, e->cursor)); break;
	case 'D': line_move(e, line_before(e, e->cursor)); break;
	case 'H': case 1: case 7: line_move(e, 0); break;
	case 'F': case 4: case 8: line_move(e, e->length); break;
	case 3: line_delete(e, e->cursor, line_after(e, e->cursor)); break;
	default: break;         /* a key without a meaning here */
	}
}

/* A byte within an escape sequence (ECMA-48 5.4): parameters, then a byte from 0x40 to 0x7e. */
static void line_escape(struct lineedit *e, uint8_t byte)
{
	if (e->escape == ESCAPE_START) {
		e->escape = byte == '[' ? ESCAPE_CSI : byte == 'O' ? ESCAPE_SS3 : ESCAPE_NONE;
		e->parameter = 0;
		return;
	}
	if (byte >= '0' && byte <= '9') {
		e->parameter = e->parameter < 100 ? e->parameter * 10 + (byte - '0') : 100;
		return;
	}
	if (byte >= 0x40 && byte <= 0x7e)
		line_key(e, byte);
	if (byte < 0x20 || byte >= 0x40)
		e->escape = ESCAPE_NONE;
}

static enum line_result line_cancel(struct lineedit *e)
{
	line_say(e, "^C\r\n");
	return LINE_CANCEL;
}

static enum line_result line_control(struct lineedit *e, uint8_t byte)
{
	switch (byte) {
	case CTRL('A'): line_move(e, 0); break;
	case CTRL('B'): line_move(e, line_before(e, e->cursor)); break;
	case CTRL('C'): return line_cancel(e);
	case CTRL('D'):
		if (e->length == 0 && e->lost == 0)
			return LINE_END;
		line_delete(e, e->cursor, line_after(e, e->cursor));
		break;
	case CTRL('E'): line_move(e, e->length); break;
	case CTRL('F'): line_move(e, line_after(e, e->cursor)); break;
	case CTRL('H'): case 0x7f: line_delete(e, line_before(e, e->cursor), e->cursor); break;
	case CTRL('I'): line_insert(e, ' '); break;
	case CTRL('K'): line_delete(e, e->cursor, e->length); break;
	case CTRL('L'):
		line_say(e, "\033[H\033[2J");
		line_draw(e);
		break;
	case CTRL('N'): history_newer(e); break;
	case CTRL('P'): history_older(e); break;
	case CTRL('U'): line_delete(e, 0, e->cursor); break;
	case CTRL('W'): line_delete(e, line_word(e), e->cursor); break;
	case 0x1b: e->escape = ESCAPE_START; break;
	default: break;
	}
	return LINE_MORE;
}

enum line_result line_byte(struct lineedit *e, uint8_t byte)
{
	bool second_half = byte == '\n' && e->was_return;

	e->was_return = byte == '\r';
	if (second_half)
		return LINE_MORE;
	if (byte == '\r' || byte == '\n')
		return line_enter(e);
	if (e->escape != ESCAPE_NONE)
		line_escape(e, byte);
	else if (byte < 0x20 || byte == 0x7f)
		return line_control(e, byte);
	else
		line_insert(e, byte);
	return LINE_MORE;
}
