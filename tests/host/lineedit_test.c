/* SPDX-License-Identifier: MIT */
/*
 * lineedit_test.c - the line editor against a model of a terminal row.
 *
 * Invariant: after each script of keys both the line handed over and what the terminal shows of it
 * are compared, so that a wrong redraw fails as well as a wrong edit.
 */
// sources: services/shell/lineedit.c exo/base/format.c exo/base/string.c
// includes: services/shell exo/base/include
#include "lineedit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW 32768

/* The row of the terminal the cursor is on; just what the editor sends is understood. */
struct terminal {
	char row[ROW];          /* one byte a column: tests of drawing use ASCII */
	size_t at, end, rows;
	char out[ROW * 4];      /* all that was sent */
	size_t out_bytes;
};

static struct terminal t;
static struct lineedit e;
static int failures;

static void check(const char *name, int passed)
{
	printf(passed ? "ok lineedit_%s\n" : "FAIL lineedit_%s: see the code at this name\n", name);
	failures += !passed;
}

static size_t terminal_escape(const char *s)
{
	char *last;
	unsigned long n = strtoul(s + 2, &last, 10);

	if (*last == 'K')
		t.end = t.at;
	else if (*last == 'D')
		t.at -= n < t.at ? n : t.at;
	else if (*last == 'J')
		t.at = t.end = 0;
	return (size_t)(last - s) + 1;
}

static void terminal_take(void *context, const char *text, size_t bytes)
{
	char copy[ROW];

	(void)context;
	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	memcpy(t.out + t.out_bytes, text, bytes);
	t.out_bytes += bytes;
	for (size_t i = 0; i < bytes;) {
		if (copy[i] == '\033') {
			i += terminal_escape(copy + i);
			continue;
		}
		if (copy[i] == '\r') {
			t.at = 0;
		} else if (copy[i] == '\n') {
			t.rows++;
			t.end = 0;
		} else {
			t.row[t.at++] = copy[i];
			if (t.at > t.end)
				t.end = t.at;
		}
		i++;
	}
}

/* Forget all, begin a line, press keys; the result of the last. */
static enum line_result keys_on(const char *keys)
{
	enum line_result r = LINE_MORE;

	t.out_bytes = 0;
	line_begin(&e);
	for (; *keys != '\0'; keys++)
		r = line_byte(&e, (unsigned char)*keys);
	return r;
}

static enum line_result keys(const char *text)
{
	memset(&t, 0, sizeof(t));
	line_init(&e, "> ", terminal_take, NULL);
	return keys_on(text);
}

static int shows(const char *row, size_t cursor)
{
	return t.end == strlen(row) && memcmp(t.row, row, t.end) == 0 && t.at == cursor;
}

/* Keys without Enter: the row shown and the cursor; then Enter: the line. */
static void edit(const char *name, const char *press, const char *line, size_t cursor)
{
	char row[256];
	int drawn;

	keys(press);
	snprintf(row, sizeof(row), "> %s", line);
	drawn = shows(row, cursor + 2);
	check(name, line_byte(&e, '\r') == LINE_READY && strcmp(e.text, line) == 0 && drawn);
}

static void test_edits(void)
{
	edit("plain", "abc", "abc", 3);
	edit("left_insert", "ac\033[Db", "abc", 2);
	edit("application_arrows", "ac\033ODb", "abc", 2);
	edit("right_at_end", "ab\033[C\033[C", "ab", 2);
	edit("left_at_start", "a\033[D\033[D\033[Db", "ba", 1);
	edit("backspace", "abcd\177\177", "ab", 2);
	edit("ctrl_h", "abc\010", "ab", 2);
	edit("backspace_at_start", "ab\001\177", "ab", 0);
	edit("delete", "abc\001\033[3~", "bc", 0);
	edit("delete_at_end", "abc\033[3~", "abc", 3);
	edit("ctrl_d_deletes", "abc\001\004", "bc", 0);
	edit("home_end", "bc\033[Ha\033[Fd", "abcd", 4);
	edit("home_end_vt", "bc\033[1~a\033[4~d", "abcd", 4);
	edit("home_end_rxvt", "bc\033[7~a\033[8~d", "abcd", 4);
	edit("ctrl_a_e", "bc\001a\005d", "abcd", 4);
	edit("ctrl_b_f", "ac\002b\006d", "abcd", 4);
	edit("ctrl_u", "abcd\002\002\025", "cd", 0);
	edit("ctrl_k", "abcd\002\002\013", "ab", 2);
	edit("ctrl_w", "one two  \027", "one ", 4);
	edit("ctrl_w_middle", "one two\002\027", "one o", 4);
	edit("tab_is_space", "a\tb", "a b", 3);
	edit("unknown_sequence_swallowed", "a\033[12;34zb", "ab", 2);
	edit("huge_parameter", "a\033[99999999999999999999~b", "ab", 2);
	edit("lone_escape", "a\033xb", "ab", 2);
	edit("control_ignored", "a\016\016b", "ab", 2);
	edit("clear_screen", "abc\014", "abc", 3);
}

static void test_utf8(void)
{
	keys("a\303\244\342\202\254\033[D\177\r");
	check("utf8_backspace", strcmp(e.text, "a\342\202\254") == 0);
	keys("\303\244\303\266\001\033[3~\r");
	check("utf8_delete", strcmp(e.text, "\303\266") == 0);
	keys("\200\200\200\033[D\033[Dx\177\177\177\r");
	check("broken_utf8_kept_in_bounds", e.length <= 3);
}

static void test_ends(void)
{
	check("empty_line", keys("\r") == LINE_READY && e.text[0] == '\0');
	check("line_feed", keys("a\n") == LINE_READY && strcmp(e.text, "a") == 0);
	keys("a\r");
	check("crlf_is_one", keys_on("\nb\r") == LINE_READY && strcmp(e.text, "b") == 0);
	check("two_returns_are_two", keys("\r") == LINE_READY && keys_on("\r") == LINE_READY);
	check("cancel", keys("abc\003") == LINE_CANCEL);
	check("end", keys("\004") == LINE_END);
	check("end_only_when_empty", keys("a\004") == LINE_MORE);
}

static void test_history(void)
{
	keys("one\r");
	keys_on("two\r");
	keys_on("two\r");
	check("older", keys_on("\033[A\r") == LINE_READY && strcmp(e.text, "two") == 0);
	keys_on("\033[A\033[A\r");
	check("no_duplicates", strcmp(e.text, "one") == 0);
	keys_on("\033[A\033[A\033[A\033[A\033[A\r");
	check("stops_at_oldest", strcmp(e.text, "one") == 0);
	keys_on("draft\033[A\033[A\033[B\033[B\r");
	check("draft_comes_back", strcmp(e.text, "draft") == 0);
	keys_on("x\020\016y\r");
	check("ctrl_p_n", strcmp(e.text, "xy") == 0);
	keys("\033[A\033[B\r");
	check("empty_history", e.text[0] == '\0');
}

/* More lines than there is room for: the oldest go, the newest stay whole. */
static void test_history_full(void)
{
	char line[1024];
	int sound = 1;

	keys("\r");
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "%0900d\r", i);
		keys_on(line);
	}
	for (int i = 1; i <= 15; i++) {
		keys_on("");
		for (int k = 0; k < i; k++)
			line_byte(&e, 16);
		sound &= strtol(e.text, NULL, 10) == 100 - i;
	}
	check("history_full", sound && e.history_bytes <= LINE_HISTORY);
}

static void test_long(void)
{
	static char line[10002];

	memset(line, 'x', 10000);
	line[10000] = '\r';
	check("ten_thousand", keys(line) == LINE_TOO_LONG && e.history_bytes == 0);
	check("after_too_long", keys_on("ls\r") == LINE_READY && strcmp(e.text, "ls") == 0);
	memset(line, 0, sizeof(line));
	memset(line, 'x', LINE_MAX - 1);
	line[LINE_MAX - 1] = '\r';
	check("longest", keys(line) == LINE_READY && strlen(e.text) == LINE_MAX - 1);
	memset(line, 'x', LINE_MAX);
	line[LINE_MAX] = '\r';
	check("one_too_long", keys(line) == LINE_TOO_LONG);
}

/* Plain typing is echoed byte for byte; an edit of a long line is drawn on a row of its own. */
static void test_drawing(void)
{
	char line[302];

	memset(line, 0, sizeof(line));
	memset(line, 'x', 300);
	keys(line);
	check("plain_echo", t.out_bytes == 302 && strncmp(t.out, "> ", 2) == 0 &&
	      strcmp(t.out + 2, line) == 0);
	line_byte(&e, 2);
	check("long_line_own_row", t.rows == 1 && t.end <= LINE_COLUMNS && t.at < t.end);
	line_byte(&e, 1);
	check("long_line_start", t.rows == 1 && t.at == 2 && t.end == LINE_COLUMNS);
	line_byte(&e, 'y');
	check("long_line_insert", t.row[2] == 'y' && t.row[3] == 'x' && t.at == 3);
	line_byte(&e, 5);
	line_byte(&e, 'z');
	check("long_line_end", t.row[t.at - 1] == 'z' && t.at == t.end && t.at <= LINE_COLUMNS);
}

/* Random keys: the editor keeps its invariant and the sanitizers stay quiet. */
static void test_random(void)
{
	static const char *const special[] = { "\033[A", "\033[B", "\033[C", "\033[D", "\033[3~",
		"\033[H", "\033[F", "\027", "\025", "\013", "\177", "\r", "\303\244", "word " };
	int sound = 1;

	srand(1);
	keys("");
	for (int i = 0; i < 200000; i++) {
		const char *k = special[rand() % 14];
		unsigned char any = (unsigned char)rand();

		if (rand() % 3 == 0 && line_byte(&e, any) != LINE_MORE)
			line_begin(&e);
		for (; *k != '\0'; k++)
			if (line_byte(&e, (unsigned char)*k) != LINE_MORE)
				line_begin(&e);
		sound &= e.cursor <= e.length && e.length < LINE_MAX &&
			 e.history_bytes <= LINE_HISTORY && e.recall <= e.history_bytes;
		t.out_bytes = 0;
		t.at = t.end = t.at < 1000 ? t.at : 0;
	}
	check("random_keys", sound);
}

int main(void)
{
	test_edits();
	test_utf8();
	test_ends();
	test_history();
	test_history_full();
	test_long();
	test_drawing();
	test_random();
	return failures != 0;
}
