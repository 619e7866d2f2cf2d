/* SPDX-License-Identifier: MIT */
/*
 * response.h - an HTTP/1 response as it comes in, piece by piece (RFC 9112).
 *
 * Whatever the pieces, the same body is handed out.  The other side may send anything: what is
 * malformed or too long is refused with words.
 */
#ifndef FETCH_RESPONSE_H
#define FETCH_RESPONSE_H

#include <services/http.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESPONSE_TRAILER_MAX 16384u     /* bytes of lines behind the last chunk */

enum response_state {
	RESPONSE_HEAD,
	RESPONSE_COUNTED,       /* in a body of known length */
	RESPONSE_OPEN,          /* in a body that ends with the connection */
	RESPONSE_CHUNK_SIZE,
	RESPONSE_CHUNK,
	RESPONSE_CHUNK_END,
	RESPONSE_TRAILER,
	RESPONSE_DONE,
	RESPONSE_BROKEN,        /* see why */
};

struct response {
	/* The head is there, before any of the body; may be NULL. */
	void (*begun)(struct response *r);
	/* Receives the body. */
	void (*body)(struct response *r, const void *data, size_t bytes);
	enum response_state state;
	const char *why;        /* RESPONSE_BROKEN: what was wrong */
	struct http_response head;      /* valid once the head is there; lent by text[] */
	bool     headed;        /* it is there */
	uint64_t left;          /* bytes of the body or chunk still to come */
	uint64_t bytes;         /* of the body, handed out so far */
	uint32_t trailer;       /* bytes of trailer seen */
	size_t   used, seen;    /* bytes in text[] or line[]; of text[], searched for its end */
	char     text[HTTP_HEAD_MAX];   /* the head */
	char     line[64];      /* a line between chunks, as far as it counts */
};

/* Begin; the caller sets `body` and `begun` afterwards. */
void response_begin(struct response *r);

/* More has come: false if it is broken.  What follows a complete response is ignored. */
bool response_feed(struct response *r, const void *data, size_t bytes);

/* The connection was closed: true if the response is complete. */
bool response_close(struct response *r);

#endif
