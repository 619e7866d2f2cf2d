/* SPDX-License-Identifier: MIT */
/*
 * path.c - decoding of request targets.
 *
 * Invariant: what leaves here as a path begins with exactly one '/', so that it can be written into
 * a Location without naming another host, and never leads above the root.
 */
#include "path.h"

#include <base/string.h>

/* "http://host/path" is "/path": RFC 9112 3.2.2 has servers take it. */
static struct http_text target_path(struct http_text target)
{
	const char *slash, *query;

	if (http_text_starts(target, "http://")) {
		target.at += 7;
		target.bytes -= 7;
		slash = memchr(target.at, '/', target.bytes);
		if (slash == NULL)
			return (struct http_text){ "/", 1 };
		target.bytes -= (size_t)(slash - target.at);
		target.at = slash;
	}
	query = memchr(target.at, '?', target.bytes);
	if (query != NULL)
		target.bytes = (size_t)(query - target.at);
	return target;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Take one byte off, decoded: -1 if it is no byte of a path. */
static int path_byte(struct http_text *t)
{
	int c = (unsigned char)t->at[0], high, low;
	size_t step = 1;

	if (c == '%') {
		if (t->bytes < 3 || (high = hex(t->at[1])) < 0 || (low = hex(t->at[2])) < 0)
			return -1;
		c = high * 16 + low;
		step = 3;
	}
	t->at += step;
	t->bytes -= step;
	return c == 0 ? -1 : c;
}

/* The last segment, which begins behind start's '/', is whole: "." and ".." are carried out. */
static void segment_end(struct path *p, size_t start)
{
	size_t bytes = p->bytes - start;
	const char *name = p->at + start;

	p->slash = true;
	if (bytes == 1 && name[0] == '.') {
		p->bytes = start;
	} else if (bytes == 2 && name[0] == '.' && name[1] == '.') {
		p->bytes = start;
		/* The '/' before it, and what stands before that one. */
		while (p->bytes > 1 && p->at[p->bytes - 2] != '/')
			p->bytes--;
		if (p->bytes > 1)
			p->bytes--;
	} else {
		p->slash = bytes == 0;
	}
}

int path_decode(struct http_text target, struct path *out)
{
	struct http_text t = target_path(target);
	size_t start = 1;

	if (t.bytes == 0 || t.at[0] != '/')
		return 400;
	out->at[0] = '/';
	out->bytes = 1;
	out->slash = true;
	while (t.bytes > 0) {
		int c = path_byte(&t);

		if (c < 0)
			return 400;
		if (c != '/') {
			if (out->bytes == sizeof(out->at) - 1)
				return 414;
			out->at[out->bytes++] = (char)c;
			continue;
		}
		segment_end(out, start);
		if (!out->slash) {
			if (out->bytes == sizeof(out->at) - 1)
				return 414;
			out->at[out->bytes++] = '/';
		}
		start = out->bytes;
	}
	segment_end(out, start);
	out->at[out->bytes] = '\0';
	return 0;
}
