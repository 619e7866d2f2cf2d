/* SPDX-License-Identifier: MIT */
/*
 * response.c - the head, and the three ways a body can be delimited.
 *
 * Invariant: `used` bytes are there of the head, in text, and after it of the present line between
 * chunks, in line; text keeps the head, which r->head points into.
 */
#include "response.h"

#include <base/string.h>
#include <base/util.h>

void response_begin(struct response *r)
{
	memset(r, 0, sizeof(*r));
}

static void response_break(struct response *r, const char *why)
{
	r->state = RESPONSE_BROKEN;
	r->why = why;
}

/* Content-Length: digits; several must agree (RFC 9110, 8.6). */
static bool length_read(struct response *r, bool *counted)
{
	struct http_text fields = r->head.fields, name, value;
	uint64_t length;

	*counted = false;
	while (http_field_next(&fields, &name, &value)) {
		if (!http_text_alike(name, "content-length"))
			continue;
		if (http_text_number(value, &length) < 0 || (*counted && length != r->left))
			return false;
		*counted = true;
		r->left = length;
	}
	return true;
}

/* What comes behind the head? (RFC 9112, 6.3) */
static void body_begin(struct response *r)
{
	struct http_text coding;
	bool counted;

	if (r->head.status == 204 || r->head.status == 304) {
		r->state = RESPONSE_DONE;
	} else if (http_field_find(r->head.fields, "transfer-encoding", &coding) > 0) {
		r->state = RESPONSE_CHUNK_SIZE;
		if (!http_text_alike(coding, "chunked"))
			response_break(r, "its transfer encoding is not understood");
	} else if (!length_read(r, &counted)) {
		response_break(r, "its Content-Length is malformed");
	} else if (counted) {
		r->state = r->left > 0 ? RESPONSE_COUNTED : RESPONSE_DONE;
	} else {
		r->state = RESPONSE_OPEN;
	}
}

/* The head of text[0, bytes) is whole. Heads of status 1xx only announce another. */
static void head_done(struct response *r, size_t bytes)
{
	if (http_response_parse(r->text, bytes, &r->head) < 0) {
		response_break(r, "it is not a response of HTTP/1");
	} else if (r->head.status >= 200) {
		r->headed = true;
		body_begin(r);
		if (r->begun != NULL && r->state != RESPONSE_BROKEN)
			r->begun(r);
	}
	r->used = r->seen = 0;
}

/* Take bytes up to the end of the head; how many. */
static size_t head_feed(struct response *r, const char *data, size_t bytes)
{
	size_t before = r->used, n = min_u64(bytes, sizeof(r->text) - r->used), head;

	memcpy(r->text + r->used, data, n);
	r->used += n;
	head = http_head_bytes(r->text, r->used, &r->seen);
	if (head > 0) {
		head_done(r, head);
		return head - before;
	}
	if (r->used == sizeof(r->text))
		response_break(r, "its head is longer than 16 KiB");
	return n;
}

/* A chunk's size, hexadecimal; extensions behind it are ignored (RFC 9112, 7.1). */
static void chunk_size(struct response *r)
{
	uint64_t size = 0;
	size_t n;

	for (n = 0; n < r->used && n < 15; n++) {
		char c = r->line[n] >= 'A' && r->line[n] <= 'F' ? (char)(r->line[n] | 0x20)
								 : r->line[n];

		if (c >= '0' && c <= '9')
			size = size << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			size = size << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	if (n == 0 || (n < r->used && r->line[n] != ';' && r->line[n] != ' ' &&
		       r->line[n] != '\t')) {
		response_break(r, "it has a malformed chunk");
		return;
	}
	r->left = size;
	r->state = size > 0 ? RESPONSE_CHUNK : RESPONSE_TRAILER;
}

static void line_done(struct response *r)
{
	if (r->used > 0 && r->line[r->used - 1] == '\r')
		r->used--;
	if (r->state == RESPONSE_CHUNK_SIZE)
		chunk_size(r);
	else if (r->state == RESPONSE_CHUNK_END && r->used > 0)
		response_break(r, "it has a malformed chunk");
	else if (r->state == RESPONSE_CHUNK_END)
		r->state = RESPONSE_CHUNK_SIZE;
	else if (r->used == 0)
		r->state = RESPONSE_DONE;
	r->used = 0;
}

/* Take bytes up to the end of a line between chunks; how many.  Only its beginning is kept. */
static size_t line_feed(struct response *r, const char *data, size_t bytes)
{
	const char *end = memchr(data, '\n', bytes);
	size_t n = end != NULL ? (size_t)(end - data) : bytes;
	size_t kept = min_u64(n, sizeof(r->line) - r->used);

	memcpy(r->line + r->used, data, kept);
	r->used += kept;
	r->trailer += (uint32_t)min_u64(n, RESPONSE_TRAILER_MAX);
	if (kept < n && r->state != RESPONSE_TRAILER)
		response_break(r, "it has a malformed chunk");
	else if (r->state == RESPONSE_TRAILER && r->trailer > RESPONSE_TRAILER_MAX)
		response_break(r, "its trailer is longer than 16 KiB");
	else if (end != NULL)
		line_done(r);
	if (r->state == RESPONSE_CHUNK)
		r->trailer = 0;
	return end != NULL ? n + 1 : n;
}

/* Hand out bytes of the body; how many. */
static size_t body_feed(struct response *r, const char *data, size_t bytes)
{
	size_t n = r->state == RESPONSE_OPEN ? bytes : (size_t)min_u64(bytes, r->left);

	r->bytes += n;
	r->body(r, data, n);
	if (r->state == RESPONSE_OPEN)
		return n;
	r->left -= n;
	if (r->left == 0)
		r->state = r->state == RESPONSE_CHUNK ? RESPONSE_CHUNK_END : RESPONSE_DONE;
	return n;
}

static size_t piece_feed(struct response *r, const char *data, size_t bytes)
{
	switch (r->state) {
	case RESPONSE_HEAD:
		return head_feed(r, data, bytes);
	case RESPONSE_COUNTED:
	case RESPONSE_OPEN:
	case RESPONSE_CHUNK:
		return body_feed(r, data, bytes);
	default:
		return line_feed(r, data, bytes);
	}
}

bool response_feed(struct response *r, const void *data, size_t bytes)
{
	const char *at = data;

	while (bytes > 0 && r->state != RESPONSE_DONE && r->state != RESPONSE_BROKEN) {
		size_t n = piece_feed(r, at, bytes);

		at += n;
		bytes -= n;
	}
	return r->state != RESPONSE_BROKEN;
}

bool response_close(struct response *r)
{
	if (r->state == RESPONSE_OPEN)
		r->state = RESPONSE_DONE;
	else if (r->state == RESPONSE_HEAD && r->used == 0 && !r->headed)
		response_break(r, "the connection was closed without an answer");
	else if (r->state != RESPONSE_DONE && r->state != RESPONSE_BROKEN)
		response_break(r, "the connection was closed in the middle of the answer");
	return r->state == RESPONSE_DONE;
}
