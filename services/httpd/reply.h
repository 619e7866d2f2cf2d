/* SPDX-License-Identifier: MIT */
/*
 * reply.h - writing answers: status line, fields, and the small pages that say what went wrong.
 */
#ifndef HTTPD_REPLY_H
#define HTTPD_REPLY_H

#include "body.h"
#include "text.h"

struct reply {
	struct text out;        /* the head; behind it the body, if that is a few words */
	struct body body;       /* else: file or page */
	uint32_t minor;         /* of the request's HTTP/1.minor; set before anything is written */
	bool     head_only;     /* HEAD: the same head, no body */
	bool     close;         /* the connection ends with this answer */
};

/* Begin and end the head.  What stands between are fields, each with its line end. */
void reply_begin(struct reply *reply, unsigned status);
void reply_end(struct reply *reply, uint64_t body_bytes);

/*
 * A whole answer that says in words what is the matter: status, and the reason as text.
 * fields: more field lines, or "".
 */
void reply_words(struct reply *reply, unsigned status, const char *fields, const char *words);

/* 301 to a path of this server, which begins with '/', ends in none, and gets one at its end. */
void reply_slash(struct reply *reply, const struct path *path);

/* Forget it: body given back, text emptied. */
void reply_clear(struct reply *reply);

#endif
