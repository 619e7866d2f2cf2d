/* SPDX-License-Identifier: MIT */
/*
 * head.h - what the readers of requests and responses share.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <services/http.h>

/* Take the next line off a head, without its end; false if no line end is left. */
bool head_line(struct http_text *rest, struct http_text *line);

/* Take what stands before the first space off a line, and that space; false if there is none. */
bool head_word(struct http_text *line, struct http_text *word);

/*
 * Check the field lines of a head up to and without its empty line, which must be its end: 0 with
 * the lines in *fields, or the status 400 or 431.
 */
int head_fields(struct http_text rest, struct http_text *fields);

/* Is it "HTTP/1.n"?  0 with n, 400 for what is no version, 505 for another major version. */
int head_version(struct http_text word, uint32_t *minor);

/* Are all bytes those of a token (RFC 9110 5.6.2), and is there one? */
bool head_token(struct http_text text);

#endif
