/* SPDX-License-Identifier: MIT */
/*
 * server.c - all connections.
 *
 * Invariant: a connection is in the list of all from server_open until its turn was its last, and
 * in the queue at most once.
 */
#include "server.h"

#include <exos/heap.h>

void server_init(struct server *s, struct site *site, uint32_t conns)
{
	*s = (struct server){ .site = site, .conns = conns ? conns : SERVER_CONNS };
	s->last = &s->first;
}

struct server_conn *server_open(struct server *s, struct wire *wire, uint64_t now)
{
	bool refused = s->count >= s->conns;
	struct server_conn *c;

	if (s->count >= s->conns + SERVER_REFUSED)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	conn_start(&c->conn, wire, s->site, refused, now);
	c->next = s->all;
	if (s->all != NULL)
		s->all->prev = c;
	else
		s->tick = now + SERVER_TICK_NS;
	s->all = c;
	s->site->conns = ++s->count;
	s->opened++;
	s->refused += refused;
	return c;
}

void server_wake(struct server *s, struct server_conn *c)
{
	if (c->awake)
		return;
	c->awake = true;
	c->later = NULL;
	*s->last = c;
	s->last = &c->later;
}

void server_lost(struct server *s, struct server_conn *c)
{
	conn_lost(&c->conn);
	server_wake(s, c);
}

static void server_free(struct server *s, struct server_conn *c)
{
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->all = c->next;
	s->site->conns = --s->count;
	s->closed++;
	conn_end(&c->conn);
	free(c);
}

/* Wake those whose time is over, and those that lacked memory: some may be free now. */
static void server_ticks(struct server *s, uint64_t now)
{
	if (s->all == NULL || now < s->tick)
		return;
	s->tick = now + SERVER_TICK_NS;
	for (struct server_conn *c = s->all; c != NULL; c = c->next)
		if (c->starved || c->conn.state == CONN_FINISH || now >= c->conn.deadline)
			server_wake(s, c);
}

bool server_round(struct server *s, uint64_t now)
{
	struct server_conn *c, *todo;

	server_ticks(s, now);
	todo = s->first;
	s->first = NULL;
	s->last = &s->first;
	while ((c = todo) != NULL) {
		enum conn_turn turn;

		todo = c->later;
		c->awake = false;
		turn = conn_turn(&c->conn, now);
		c->starved = turn == CONN_STARVED;
		if (turn == CONN_AGAIN)
			server_wake(s, c);
		else if (turn == CONN_DONE)
			server_free(s, c);
	}
	return s->first != NULL;
}

uint64_t server_next(const struct server *s)
{
	return s->all != NULL ? s->tick : 0;
}
