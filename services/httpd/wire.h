/* SPDX-License-Identifier: MIT */
/*
 * wire.h - a byte stream to a client as connections see it: a small table of functions.
 *
 * Behind it stands lwIP (tcp.c); tests put their own there.  None of these functions blocks, and
 * none calls back into the connection.
 */
#ifndef HTTPD_WIRE_H
#define HTTPD_WIRE_H

#include <stdbool.h>
#include <stddef.h>

struct wire;

struct wire_ops {
	/* Take bytes that came in: how many (0: none are there now). */
	size_t (*read)(struct wire *wire, void *out, size_t bytes);
	/* Has the client ended its side, and was everything before that read? */
	bool (*ended)(const struct wire *wire);
	/* How many bytes may be written now; 0: none before some are acknowledged. */
	size_t (*room)(const struct wire *wire);
	/*
	 * Send bytes, at most room().  lent: they stay unchanged until they are acknowledged, else
	 * they are copied.  more: others follow at once.  false: there is no memory now.
	 */
	bool (*write)(struct wire *wire, const void *data, size_t bytes, bool lent, bool more);
	/* Bytes acknowledged since the connection was made. */
	unsigned long (*acked)(const struct wire *wire);
	/* Everything was written for now: send it. */
	void (*flush)(struct wire *wire);
	/* End the own side behind what was written; false: there is no memory now. */
	bool (*finish)(struct wire *wire);
	/* Let go: everything written was acknowledged.  The wire is not used again. */
	void (*close)(struct wire *wire);
	/* Cut: what was not sent is dropped.  The wire is not used again. */
	void (*abort)(struct wire *wire);
};

struct wire {
	const struct wire_ops *ops;
};

#endif
