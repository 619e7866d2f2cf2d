/* SPDX-License-Identifier: MIT */
/*
 * server.h - all connections: who has something to do, whose time is over, how many there may be.
 *
 * What the network calls (server_open, server_wake, server_lost) only takes notes; connections do
 * their work in server_round, so that reading from the disk never happens inside the stack.
 */
#ifndef HTTPD_SERVER_H
#define HTTPD_SERVER_H

#include "conn.h"

#define SERVER_CONNS   256u     /* that are served */
#define SERVER_REFUSED 32u      /* beyond these: are told that there are too many */
#define SERVER_TICK_NS (SECOND / 10)    /* how often time is looked at */
#define SERVER_CONN_BYTES 12288u        /* of memory to reckon for each; most take 8 KiB */

struct server_conn {
	struct conn conn;
	struct server_conn *next, *prev;        /* of all */
	struct server_conn *later;              /* of those with something to do */
	bool awake;                             /* in that queue */
	bool starved;
};

struct server {
	struct site *site;
	struct server_conn *all, *first, **last;
	uint32_t count;                 /* of all */
	uint32_t conns;                 /* how many are served */
	uint64_t tick;                  /* when time is looked at next, ns */
	uint64_t opened, closed, refused;       /* counted */
};

/* conns: how many to serve at once; 0: SERVER_CONNS. */
void server_init(struct server *server, struct site *site, uint32_t conns);

/* A connection was made: NULL if there is no place even to refuse it. */
struct server_conn *server_open(struct server *server, struct wire *wire, uint64_t now);

/* Something came in, was acknowledged, or ended. */
void server_wake(struct server *server, struct server_conn *conn);

/* Its wire is gone (see conn_lost). */
void server_lost(struct server *server, struct server_conn *conn);

/* A turn for each that has something to do; true if some still have. */
bool server_round(struct server *server, uint64_t now);

/* When server_round is to be called at the latest though nothing happens, ns; 0: never. */
uint64_t server_next(const struct server *server);

#endif
