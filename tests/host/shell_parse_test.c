/* SPDX-License-Identifier: MIT */
/*
 * shell_parse_test.c - command lines and the words they become.
 */
// sources: services/shell/parse.c
// includes: services/shell
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

/* The words joined by |, with & behind them if nobody waits; or ! and the refusal. */
static void check(const char *name, const char *line, const char *want)
{
	char *copy = strdup(line);
	char got[4096] = "";
	struct parse p;
	const char *why = parse_line(copy, &p);

	if (why != NULL)
		snprintf(got, sizeof(got), "!%s", why);
	for (int i = 0; i < p.count; i++) {
		strcat(got, i ? "|" : "");
		strcat(got, p.word[i]);
	}
	if (why == NULL && p.background)
		strcat(got, "&");
	if (strcmp(got, want) == 0 && p.word[p.count] == NULL) {
		printf("ok parse_%s\n", name);
	} else {
		printf("FAIL parse_%s: expected %s, got %s\n", name, want, got);
		failures++;
	}
	free(copy);
}

static void test_many(void)
{
	char line[256], want[256] = "";

	line[0] = '\0';
	for (int i = 0; i < 64; i++) {
		strcat(line, "w ");
		strcat(want, i ? "|w" : "w");
	}
	check("64_words", line, want);
	strcat(line, "&");
	strcat(want, "&");
	check("64_words_background", line, want);
	line[strlen(line) - 1] = 'w';
	check("65_words", line, "!more than 64 words");
}

/* Random bytes: the sanitizers watch, and the words stay within the line. */
static void test_random(void)
{
	static const char set[] = "ab '\"\\&# \t\303";
	char line[64];
	struct parse p;
	int sound = 1;

	srand(1);
	for (int n = 0; n < 300000; n++) {
		size_t bytes = (size_t)rand() % (sizeof(line) - 1), total = 0;

		for (size_t i = 0; i < bytes; i++)
			line[i] = set[(size_t)rand() % (sizeof(set) - 1)];
		line[bytes] = '\0';
		parse_line(line, &p);
		for (int i = 0; i < p.count; i++)
			total += strlen(p.word[i]) + 1;
		sound &= total <= bytes + 1;
	}
	printf(sound ? "ok parse_random\n" : "FAIL parse_random: words longer than the line\n");
	failures += !sound;
}

int main(void)
{
	check("empty", "", "");
	check("spaces", "    ", "");
	check("one", "ls", "ls");
	check("three", "  ls  -l   /a ", "ls|-l|/a");
	check("single_quotes", "cat 'a b' 'c\"d\\'", "cat|a b|c\"d\\");
	check("double_quotes", "cat \"a b\" \"c'd\\\"\\\\\"", "cat|a b|c'd\"\\");
	check("empty_words", "a '' \"\"", "a||");
	check("joined", "a'b'\"c\"\\ d", "abc d");
	check("backslash", "a\\ b \\\\ \\'", "a b|\\|'");
	check("comment", "a # b", "a");
	check("hash_inside", "a#b", "a#b");
	check("only_comment", "# x", "");
	check("background", "run x &", "run|x&");
	check("quoted_ampersand", "echo '&'", "echo|&");
	check("escaped_ampersand", "echo \\&", "echo|&");
	check("ampersand_in_word", "a&b&", "a&b&");
	check("background_comment", "a & # b", "a&");
	check("ampersand_first", "& a", "!& is only understood at the end of the line");
	check("ampersand_alone", "&", "!nothing stands before the &");
	check("ampersand_twice", "a & &", "!& is only understood at the end of the line");
	check("open_single", "a 'b", "!a ' is not closed");
	check("open_double", "a \"b", "!a \" is not closed");
	check("open_double_backslash", "a \"b\\", "!a \" is not closed");
	check("last_backslash", "a \\", "!nothing follows the last \\");
	check("utf8", "cat \303\244\303\266", "cat|\303\244\303\266");
	test_many();
	test_random();
	return failures != 0;
}
