/* SPDX-License-Identifier: MIT */
/*
 * reply.c - writing answers (RFC 9110, 9112).
 *
 * There is no Date field: this machine's clock is not read (RFC 9110 6.6.1 leaves it out then).
 */
#include "reply.h"

#include <base/string.h>
#include <base/util.h>

static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" }, { 206, "Partial Content" }, { 301, "Moved Permanently" },
	{ 304, "Not Modified" }, { 400, "Bad Request" }, { 403, "Forbidden" },
	{ 404, "Not Found" }, { 405, "Method Not Allowed" }, { 408, "Request Timeout" },
	{ 412, "Precondition Failed" }, { 414, "URI Too Long" }, { 416, "Range Not Satisfiable" },
	{ 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
	{ 501, "Not Implemented" }, { 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

static const char *reason_of(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

void reply_begin(struct reply *r, unsigned status)
{
	text_format(&r->out, "HTTP/1.1 %u %s\r\nServer: exo\r\n", status, reason_of(status));
}

void reply_end(struct reply *r, uint64_t body_bytes)
{
	text_format(&r->out, "Content-Length: %lu\r\n", (unsigned long)body_bytes);
	if (r->close)
		text_string(&r->out, "Connection: close\r\n");
	else if (r->minor == 0)
		text_string(&r->out, "Connection: keep-alive\r\n");
	text_string(&r->out, "\r\n");
}

void reply_words(struct reply *r, unsigned status, const char *fields, const char *words)
{
	const char *reason = reason_of(status);
	struct text page = { .at = NULL };

	text_format(&page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<title>%u %s</title>\n<style>:root{color-scheme:light dark}body{font:16px/1.5 "
		    "system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}"
		    "</style>\n"
		    "</head>\n<body>\n<h1>%u %s</h1>\n<p>", status, reason, status, reason);
	text_html(&page, words, strlen(words));
	text_string(&page, "</p>\n</body>\n</html>\n");
	reply_begin(r, status);
	text_string(&r->out, fields);
	text_string(&r->out, "Content-Type: text/html; charset=utf-8\r\n");
	reply_end(r, page.bytes);
	if (!r->head_only)
		text_add(&r->out, page.at, page.bytes);
	r->out.failed |= page.failed;
	text_clear(&page, 0);
}

void reply_slash(struct reply *r, const struct path *path)
{
	reply_begin(r, 301);
	text_string(&r->out, "Location: ");
	text_url(&r->out, path->at, path->bytes);
	text_string(&r->out, "/\r\n");
	reply_end(r, 0);
}

void reply_clear(struct reply *r)
{
	body_end(&r->body);
	text_clear(&r->out, 1024);
}
