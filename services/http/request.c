/* SPDX-License-Identifier: MIT */
/*
 * request.c - the head of a request.
 */
#include "head.h"

#define METHOD_MOST 32u         /* bytes of a method; the longest registered one has 17 */

/* Visible ASCII but '#', which no client sends, and bytes that are not ASCII: names as they are. */
static bool target_good(struct http_text target)
{
	for (size_t i = 0; i < target.bytes; i++) {
		unsigned char c = (unsigned char)target.at[i];

		if (c <= 0x20 || c == 0x7f || c == '#')
			return false;
	}
	return target.bytes > 0;
}

static int request_line(struct http_text line, struct http_request *out)
{
	int status;

	if (!head_word(&line, &out->method) || !head_token(out->method) ||
	    !head_word(&line, &out->target))
		return 400;
	status = head_version(line, &out->minor);
	if (status != 0)
		return status;
	if (out->target.bytes > HTTP_TARGET_MAX)
		return 414;
	return target_good(out->target) ? 0 : 400;
}

int http_request_parse(const char *head, size_t bytes, struct http_request *out)
{
	struct http_text rest = { head, bytes }, line;
	int status;

	if (!head_line(&rest, &line))
		return 400;
	status = request_line(line, out);
	return status != 0 ? status : head_fields(rest, &out->fields);
}

bool http_request_hopeless(const char *text, size_t bytes)
{
	struct http_text rest = { text, bytes }, method = { text, bytes };

	/* Without a space the method may still go on; CR may begin an empty line. */
	if (bytes == 0 || (bytes == 1 && text[0] == '\r'))
		return false;
	head_word(&rest, &method);
	return method.bytes > METHOD_MOST || !head_token(method);
}
