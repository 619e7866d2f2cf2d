/* SPDX-License-Identifier: MIT */
/*
 * parse.h - a command line becomes words.
 *
 * Words are separated by spaces.  '...' and "..." hold any character; a backslash takes the next
 * one as it is (also within "..."); # where a word could begin starts a comment; & as the last
 * word of its own means: do not wait.  No variables, patterns or pipes.
 */
#ifndef SHELL_PARSE_H
#define SHELL_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#define PARSE_WORDS 64u

struct parse {
	int   count;                    /* of words, 0 to PARSE_WORDS */
	bool  background;               /* the line ended in & */
	char *word[PARSE_WORDS + 1];    /* in the line itself; NULL behind the last */
};

/*
 * Split `line`, which is overwritten and must outlive the words.  NULL, or what is wrong with the
 * line; then out->count is 0.
 */
const char *parse_line(char *line, struct parse *out);

#endif
