/* SPDX-License-Identifier: MIT */
/*
 * parse.c - splitting a command line in place.
 *
 * Invariant: a word never grows, so the writer stays behind the reader in the same buffer.
 */
#include "parse.h"

struct reader {
	const char *in;         /* next character to read */
	char       *out;        /* next place to write, never beyond in */
	bool        quoted;     /* the present word had a quote or backslash in it */
};

static const char *parse_quoted(struct reader *r, char quote)
{
	r->quoted = true;
	r->in++;
	while (*r->in != quote) {
		if (*r->in == '\\' && quote == '"' && r->in[1] != '\0')
			r->in++;
		if (*r->in == '\0')
			return quote == '"' ? "a \" is not closed" : "a ' is not closed";
		*r->out++ = *r->in++;
	}
	r->in++;
	return NULL;
}

/* Read one word.  The caller has seen that one begins here. */
static const char *parse_word(struct reader *r)
{
	const char *why;

	r->quoted = false;
	while (*r->in != '\0' && *r->in != ' ') {
		if (*r->in == '\'' || *r->in == '"') {
			if ((why = parse_quoted(r, *r->in)) != NULL)
				return why;
			continue;
		}
		if (*r->in == '\\') {
			r->quoted = true;
			if (*++r->in == '\0')
				return "nothing follows the last \\";
		}
		*r->out++ = *r->in++;
	}
	return NULL;
}

static const char *parse_add(struct reader *r, struct parse *p)
{
	char *word = r->out;
	const char *why;
	bool more;

	if (p->background)
		return "& is only understood at the end of the line";
	if ((why = parse_word(r)) != NULL)
		return why;
	more = *r->in != '\0';
	if (!r->quoted && r->out - word == 1 && *word == '&') {
		p->background = true;
		r->out = word;
	} else if (p->count == (int)PARSE_WORDS) {
		return "more than 64 words";
	} else {
		p->word[p->count++] = word;
		*r->out++ = '\0';
	}
	r->in += more;          /* its end may have been overwritten by the NUL just now */
	return NULL;
}

const char *parse_line(char *line, struct parse *out)
{
	struct reader r = { .in = line, .out = line };
	const char *why = NULL;

	out->count = 0;
	out->background = false;
	while (why == NULL) {
		while (*r.in == ' ')
			r.in++;
		if (*r.in == '\0' || *r.in == '#')
			break;
		why = parse_add(&r, out);
	}
	if (why == NULL && out->background && out->count == 0)
		why = "nothing stands before the &";
	if (why != NULL)
		out->count = 0;
	out->word[out->count] = NULL;
	return why;
}
