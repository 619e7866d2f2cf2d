/* SPDX-License-Identifier: MIT */
/*
 * answer.c - from a request to its answer: method, framing, path, conditions, range.
 *
 * Invariant: each way through ends with one whole head in the reply.
 */
#include "answer.h"

#include <base/format.h>
#include <base/string.h>
#include <base/util.h>

#include "condition.h"
#include "range.h"
#include "type.h"

static const char *status_words(unsigned status)
{
	switch (status) {
	case 400: return "This is not a well-formed HTTP request.";
	case 408: return "The request was not complete in time.";
	case 414: return "The address is longer than any path of this disk.";
	case 431: return "The header of the request is too large.";
	case 501: return "This server knows neither this method nor this transfer coding.";
	case 503: return "All connections of this server are in use. Try again in a while.";
	case 505: return "This server speaks HTTP/1.1 and HTTP/1.0.";
	default: return "The request could not be answered.";
	}
}

void answer_status(unsigned status, struct reply *reply)
{
	reply->close = true;
	reply_words(reply, status, status == 503 ? "Retry-After: 5\r\n" : "",
		    status_words(status));
}

/* Does the connection stay open after the answer (RFC 9112 9.3)? */
static bool stays_open(const struct http_request *r)
{
	if (http_field_lists(r->fields, "connection", "close"))
		return false;
	return r->minor >= 1 || http_field_lists(r->fields, "connection", "keep-alive");
}

/*
 * What body the request brings (RFC 9112 6.3): 0, or the status to answer with.  A body is never
 * read: the connection ends after the answer instead.
 */
static unsigned check_body(const struct http_request *r, struct reply *reply)
{
	struct http_text value;
	unsigned lengths = http_field_find(r->fields, "content-length", &value);
	struct http_text coding;
	uint64_t bytes;

	if (lengths > 1 || (lengths == 1 && http_text_number(value, &bytes) < 0))
		return 400;
	if (http_field_find(r->fields, "transfer-encoding", &coding) > 0) {
		if (lengths > 0 || r->minor == 0)
			return 400;
		if (!http_text_alike(coding, "chunked"))
			return 501;
		reply->close = true;
	}
	if (lengths == 1 && bytes > 0)
		reply->close = true;
	return 0;
}

static bool method_known(struct http_text method)
{
	static const char *const known[] = {
		"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT",
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (http_text_is(method, known[i]))
			return true;
	return false;
}

/* Method, Host and framing: 0, or the status. */
static unsigned check_request(const struct http_request *r, struct reply *reply)
{
	struct http_text host;
	unsigned hosts = http_field_find(r->fields, "host", &host), status;

	/* RFC 9112 3.2: one Host field, of HTTP/1.0 at most one. */
	if (hosts > 1 || (hosts == 0 && r->minor > 0) ||
	    (hosts == 1 && memchr(host.at, ' ', host.bytes) != NULL))
		return 400;
	status = check_body(r, reply);
	if (status != 0)
		return status;
	reply->head_only = http_text_is(r->method, "HEAD");
	if (reply->head_only || http_text_is(r->method, "GET"))
		return 0;
	return method_known(r->method) ? 405 : 501;
}

/* An error of libfs as an answer, with the file system's words where it has some. */
static void answer_error(struct site *site, int error, struct reply *reply)
{
	const char *why = fs_path_why(&site->table);
	char words[320];

	switch (error) {
	case -FS_E_NOENT:
	case -FS_E_NOTDIR:
	case -FS_E_NAMETOOLONG:
		reply_words(reply, 404, "", "There is no such file or directory on this disk.");
		return;
	case -FS_E_LOOP:
		reply_words(reply, 404, "", "Too many symbolic links stand on the way there.");
		return;
	case -FS_E_NOTFILE:
		reply_words(reply, 403, "",
			    "This is neither a file nor a directory: it has no contents to show.");
		return;
	case -FS_E_NOMEM:
		reply_words(reply, 503, "Retry-After: 5\r\n", "There is no memory for this now.");
		return;
	}
	format_buffer(words, sizeof(words), "The disk: %s%s%s.", fs_error_text(error),
		      why[0] ? ": " : "", why);
	reply_words(reply, error == -FS_E_UNSUPPORTED ? 403 : 500, "", words);
}

static void file_fields(struct reply *reply, const struct condition *c)
{
	text_format(&reply->out, "Last-Modified: %s\r\nETag: %s\r\n", c->date, c->tag);
}

/* The head of a whole file or of a part. */
static void file_head(struct site *site, struct reply *reply, const struct condition *c,
		      const struct range *range, bool part, uint64_t size)
{
	reply_begin(reply, part ? 206 : 200);
	text_format(&reply->out, "Content-Type: %s\r\nAccept-Ranges: bytes\r\n",
		    type_of(site->path.at, site->path.bytes));
	if (part)
		text_format(&reply->out, "Content-Range: bytes %lu-%lu/%lu\r\n",
			    (unsigned long)range->first, (unsigned long)(range->end - 1),
			    (unsigned long)size);
	file_fields(reply, c);
	reply_end(reply, range->end - range->first);
}

/* Send the file, or what of it is asked for. */
static void file_send(struct site *site, const struct http_request *r, const struct fs_node *node,
		      const struct condition *c, struct reply *reply)
{
	struct range range = { 0, node->size };
	enum range_kind kind = RANGE_WHOLE;
	struct http_text value;
	char fields[64];
	int error;

	if (!reply->head_only && http_field_find(r->fields, "range", &value) == 1 &&
	    condition_range(c, r->fields))
		kind = range_read(value, node->size, &range);
	if (kind == RANGE_NONE) {
		format_buffer(fields, sizeof(fields), "Content-Range: bytes */%lu\r\n",
			      (unsigned long)node->size);
		reply_words(reply, 416, fields, "The file has no such bytes.");
		return;
	}
	if (kind == RANGE_WHOLE)
		range = (struct range){ 0, node->size };
	error = reply->head_only ? 0 : body_file(&reply->body, node, range.first, range.end);
	if (error < 0)
		answer_error(site, error, reply);
	else
		file_head(site, reply, c, &range, kind == RANGE_PART, node->size);
}

static void answer_file(struct site *site, const struct http_request *r,
			const struct fs_node *node, struct reply *reply)
{
	struct condition c;
	struct fs_attr attr;
	int error = node->fs->ops->attr(node->fs, node, &attr), status;

	if (error < 0) {
		answer_error(site, error, reply);
		return;
	}
	condition_make(&c, &attr);
	status = condition_check(&c, r->fields);
	if (status == 304) {
		/* RFC 9110 15.4.5: the length would be that of the file; it is left out. */
		reply_begin(reply, 304);
		file_fields(reply, &c);
		text_string(&reply->out, reply->close ? "Connection: close\r\n\r\n" :
			    reply->minor == 0 ? "Connection: keep-alive\r\n\r\n" : "\r\n");
	} else if (status == 412) {
		reply_words(reply, 412, "", "The file is not the one the request speaks of.");
	} else {
		file_send(site, r, node, &c, reply);
	}
}

static void answer_dir(struct site *site, const struct fs_node *node, struct reply *reply)
{
	struct page *page;
	int error;

	if (!site->path.slash) {
		reply_slash(reply, &site->path);
		return;
	}
	error = index_get(site, node, &page);
	if (error < 0) {
		answer_error(site, error, reply);
		return;
	}
	reply_begin(reply, 200);
	text_string(&reply->out, "Content-Type: text/html; charset=utf-8\r\n");
	reply_end(reply, page->text.bytes);
	if (reply->head_only)
		index_put(page);
	else
		body_page(&reply->body, page);
}

static void answer_path(struct site *site, const struct http_request *r, struct reply *reply)
{
	struct fs_node node;
	int error = fs_path_find(&site->table, site->path.at, true, &node);

	if (error < 0)
		answer_error(site, error, reply);
	else if (node.type == FS_DIR)
		answer_dir(site, &node, reply);
	else if (node.type == FS_FILE)
		answer_file(site, r, &node, reply);
	else
		answer_error(site, -FS_E_NOTFILE, reply);
}

void answer_head(struct site *site, const char *head, size_t bytes, struct reply *reply)
{
	struct http_request r;
	unsigned status = (unsigned)http_request_parse(head, bytes, &r);

	site->requests++;
	if (status == 0) {
		reply->minor = r.minor;
		reply->close = !stays_open(&r);
		status = check_request(&r, reply);
	}
	if (status == 405) {
		reply_words(reply, 405, "Allow: GET, HEAD\r\n",
			    "Files can be read here, and nothing else: GET and HEAD.");
		return;
	}
	if (status == 0)
		status = (unsigned)path_decode(r.target, &site->path);
	if (status != 0)
		answer_status(status, reply);
	else if (!site->mounted)
		reply_words(reply, 503, "", site->why);
	else
		answer_path(site, &r, reply);
}
