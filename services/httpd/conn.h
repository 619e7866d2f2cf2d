/* SPDX-License-Identifier: MIT */
/*
 * conn.h - one connection: requests in, answers out, in order, each in its time.
 *
 * Knows neither lwIP nor the clock: bytes go through a wire, time comes as an argument.  Turns are
 * bounded, so that one connection cannot keep the others waiting.
 */
#ifndef HTTPD_CONN_H
#define HTTPD_CONN_H

#include "body.h"
#include "reply.h"
#include "wire.h"

#define SECOND 1000000000ul     /* ns */
#define CONN_IDLE_NS    (15 * SECOND)   /* between requests */
#define CONN_REQUEST_NS (10 * SECOND)   /* from a request's first byte to its last */
#define CONN_STALL_NS   (30 * SECOND)   /* without a byte acknowledged while an answer goes out */
#define CONN_LINGER_NS  (2 * SECOND)    /* after our end: for the client to end its side */
#define CONN_COOL_NS    (1 * SECOND)    /* after a cut: see CONN_COOL */
#define CONN_TURN_BYTES 65536u          /* of answers in one turn */

enum conn_state {
	CONN_READ,      /* a request is awaited or coming in */
	CONN_SEND,      /* its answer goes out */
	CONN_FINISH,    /* the last answer is written: end our side */
	CONN_LINGER,    /* ended: what still comes in is dropped, what went out is acknowledged */
	CONN_COOL,      /* cut: the NIC may still be reading pieces that were lent to it */
	CONN_OVER,      /* nothing is left; conn_end, and the memory may go */
};

enum conn_turn {
	CONN_WAITS,     /* for the wire or for its deadline */
	CONN_AGAIN,     /* it has used up its turn and has more to do */
	CONN_STARVED,   /* for memory that other connections hold */
	CONN_DONE,      /* CONN_OVER */
};

struct conn {
	struct wire *wire;      /* NULL in CONN_COOL and CONN_OVER */
	struct site *site;
	enum conn_state state;
	bool     refused;       /* one too many: it is told so and ended */
	uint64_t deadline;      /* of the present state, ns */
	unsigned long written;  /* bytes ever given to the wire */
	unsigned long acked;    /* of these, when last looked at */
	char    *in;            /* what came in and is not answered */
	size_t   in_bytes, in_room;
	size_t   in_seen;       /* see http_head_bytes */
	size_t   out_at;        /* of reply.out: written so far */
	struct reply reply;
	struct holds holds;
};

/* A connection was made, at `now` (ns).  refused: it gets 503 and an end. */
void conn_start(struct conn *conn, struct wire *wire, struct site *site, bool refused,
		uint64_t now);

/* Go on as far as the wire lets it. */
enum conn_turn conn_turn(struct conn *conn, uint64_t now);

/* The wire is gone: the client has reset, and what it still gets it drops. */
void conn_lost(struct conn *conn);

/* Give back all it holds, at once; the wire, if there still is one, is cut. */
void conn_end(struct conn *conn);

#endif
