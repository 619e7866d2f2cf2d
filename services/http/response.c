/* SPDX-License-Identifier: MIT */
/*
 * response.c - the head of a response.
 */
#include "head.h"

/* "HTTP/1.1 200 OK"; the reason, and the space before it, may be missing. */
static int status_line(struct http_text line, struct http_response *out)
{
	struct http_text version, code;
	uint64_t status;

	if (!head_word(&line, &version) || head_version(version, &out->minor) != 0)
		return -1;
	out->reason = (struct http_text){ line.at + line.bytes, 0 };
	if (head_word(&line, &code))
		out->reason = line;
	else
		code = line;
	if (code.bytes != 3 || http_text_number(code, &status) < 0 || status < 100)
		return -1;
	out->status = (uint32_t)status;
	return 0;
}

int http_response_parse(const char *head, size_t bytes, struct http_response *out)
{
	struct http_text rest = { head, bytes }, line;

	if (!head_line(&rest, &line) || status_line(line, out) < 0)
		return -1;
	return head_fields(rest, &out->fields) == 0 ? 0 : -1;
}
