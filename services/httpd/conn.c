/* SPDX-License-Identifier: MIT */
/*
 * conn.c - the states of a connection.
 *
 * Invariant: bytes that were lent to the wire stay in place until they are acknowledged or the
 * client has reset; when we cut, until a second has passed: packets with them may stand in the
 * NIC's ring.
 */
#include "conn.h"

#include <base/string.h>
#include <base/util.h>
#include <exos/heap.h>
#include <limits.h>

#include "answer.h"

#define IN_LEAST 1024u

void conn_start(struct conn *c, struct wire *wire, struct site *site, bool refused, uint64_t now)
{
	memset(c, 0, sizeof(*c));
	c->wire = wire;
	c->site = site;
	c->refused = refused;
	c->deadline = now + CONN_IDLE_NS;
}

static void conn_set(struct conn *c, enum conn_state state, uint64_t deadline)
{
	c->state = state;
	c->deadline = deadline;
}

static void in_free(struct conn *c)
{
	free(c->in);
	c->in = NULL;
	c->in_bytes = c->in_room = c->in_seen = 0;
}

/* The wire is not ours any more: keep only what the NIC may still read. */
static void conn_leave(struct conn *c, uint64_t now)
{
	c->wire = NULL;
	reply_clear(&c->reply);
	in_free(c);
	conn_set(c, c->holds.count > 0 ? CONN_COOL : CONN_OVER, now + CONN_COOL_NS);
}

void conn_lost(struct conn *c)
{
	holds_release(&c->holds, c->site, ULONG_MAX);
	conn_leave(c, 0);
}

static void conn_cut(struct conn *c, uint64_t now)
{
	c->wire->ops->abort(c->wire);
	conn_leave(c, now);
}

/* Everything was acknowledged and the client has ended its side, or had its time. */
static void conn_close(struct conn *c, uint64_t now)
{
	c->wire->ops->close(c->wire);
	conn_leave(c, now);
}

void conn_end(struct conn *c)
{
	if (c->wire != NULL)
		conn_cut(c, 0);
	holds_release(&c->holds, c->site, ULONG_MAX);
	text_clear(&c->reply.out, 0);
	conn_set(c, CONN_OVER, 0);
}

/* --- requests --- */

static bool in_grow(struct conn *c)
{
	size_t room = c->in_room ? c->in_room * 2 : IN_LEAST;
	char *more = realloc(c->in, room);

	if (more == NULL)
		return false;
	c->in = more;
	c->in_room = room;
	return true;
}

static void in_drop(struct conn *c, size_t bytes)
{
	if (bytes == 0)
		return;
	c->in_bytes -= bytes;
	memmove(c->in, c->in + bytes, c->in_bytes);
	c->in_seen = 0;
}

/* Read what there is, as far as a head goes: were there any bytes? */
static bool in_fill(struct conn *c, uint64_t now)
{
	size_t before = c->in_bytes, got;

	while (c->in_bytes < HTTP_HEAD_MAX) {
		if (c->in_bytes == c->in_room && !in_grow(c))
			break;
		got = c->wire->ops->read(c->wire, c->in + c->in_bytes, c->in_room - c->in_bytes);
		if (got == 0)
			break;
		c->in_bytes += got;
	}
	got = c->in_bytes - before;
	if (c->in_bytes > 0)
		in_drop(c, http_head_skip(c->in, c->in_bytes));
	if (before == 0 && c->in_bytes > 0)
		c->deadline = now + CONN_REQUEST_NS;
	return got > 0;
}

static void conn_answer(struct conn *c, uint64_t now, unsigned status, size_t head)
{
	struct reply *r = &c->reply;

	text_clear(&r->out, 1024);
	r->minor = 1;
	r->head_only = r->close = false;
	c->out_at = 0;
	if (status == 0)
		answer_head(c->site, c->in, head, r);
	else
		answer_status(status, r);
	conn_set(c, CONN_SEND, now + CONN_STALL_NS);
}

/*
 * What stands in the buffer begins with a head of `head` bytes (0: one that is not whole): the
 * status to end with, or 0.  It must not depend on how the bytes came.
 */
static unsigned in_status(const struct conn *c, size_t head)
{
	if (http_request_hopeless(c->in, c->in_bytes))
		return 400;
	if (head > 0)
		return c->refused ? 503 : 0;
	if (c->in_bytes < HTTP_HEAD_MAX)
		return 0;
	return memchr(c->in, '\n', c->in_bytes) == NULL ? 414 : 431;
}

/* Nothing more comes for now: is it time to give up, or has the client? */
static void conn_idle(struct conn *c, uint64_t now)
{
	if (c->wire->ops->ended(c->wire)) {
		conn_set(c, CONN_FINISH, now + CONN_STALL_NS);
	} else if (now >= c->deadline) {
		if (c->in_bytes > 0)
			conn_answer(c, now, 408, 0);
		else
			conn_set(c, CONN_FINISH, now + CONN_STALL_NS);
	}
}

/* false: it waits for more. */
static bool conn_read(struct conn *c, uint64_t now)
{
	bool came = in_fill(c, now);
	size_t head = c->in_bytes > 0 ? http_head_bytes(c->in, c->in_bytes, &c->in_seen) : 0;
	unsigned status = in_status(c, head);

	if (head > 0 || status != 0) {
		conn_answer(c, now, status, head);
		in_drop(c, head);
		return true;
	}
	if (c->in_bytes == 0 && c->in_room > IN_LEAST)
		in_free(c);
	if (came)
		return true;
	conn_idle(c, now);
	return c->state != CONN_READ;
}

/* --- answers --- */

/* Write of the head what there is room for: false if nothing could be written. */
static bool send_head(struct conn *c, size_t room)
{
	struct text *out = &c->reply.out;
	size_t bytes = min_u64(room, out->bytes - c->out_at);
	bool more = bytes < out->bytes - c->out_at || c->reply.body.at < c->reply.body.end;

	if (!c->wire->ops->write(c->wire, out->at + c->out_at, bytes, false, more))
		return false;
	c->out_at += bytes;
	c->written += bytes;
	c->site->copied_bytes += bytes;
	return true;
}

/* Write the next piece of the body: 1; 0 if it must wait; an error of libfs. */
static int send_piece(struct conn *c, size_t room)
{
	struct body *b = &c->reply.body;
	struct body_piece piece;
	bool few = c->written - c->acked < BODY_FEW;
	int got = body_next(b, c->site, &c->holds, room, few, &piece);

	if (got <= 0)
		return got;
	if (!c->wire->ops->write(c->wire, piece.data, piece.bytes, !piece.copy,
				 piece.bytes < b->end - b->at)) {
		body_return(c->site, &piece);
		return 0;
	}
	c->written += piece.bytes;
	if (!piece.copy)
		body_keep(b, c->site, &c->holds, &piece, c->written);
	else
		body_copied(b, c->site, &piece);
	return 1;
}

/* The answer is written: the next request, or the end. */
static void conn_answered(struct conn *c, uint64_t now)
{
	bool close = c->reply.close;

	reply_clear(&c->reply);
	if (close)
		conn_set(c, CONN_FINISH, now + CONN_STALL_NS);
	else
		conn_set(c, CONN_READ,
			 now + (c->in_bytes > 0 ? CONN_REQUEST_NS : CONN_IDLE_NS));
}

static enum conn_turn conn_send(struct conn *c, uint64_t now)
{
	struct reply *r = &c->reply;
	unsigned long most = c->written + CONN_TURN_BYTES;
	size_t room;
	int sent = 1;

	/* A head that memory was too short for says nothing that could be sent. */
	if (r->out.failed) {
		conn_cut(c, now);
		return CONN_AGAIN;
	}
	while (c->out_at < r->out.bytes || r->body.at < r->body.end) {
		if (c->written >= most)
			return CONN_AGAIN;
		room = c->wire->ops->room(c->wire);
		if (room == 0)
			return CONN_WAITS;
		if (c->out_at < r->out.bytes)
			sent = send_head(c, room);
		else
			sent = send_piece(c, min_u64(room, most - c->written));
		if (sent == 0) {
			/* All was taken: it is not the client who keeps us waiting. */
			if (c->acked == c->written)
				c->deadline = now + CONN_STALL_NS;
			return CONN_STARVED;
		}
		/* The length was promised: an end is all that can still be said. */
		if (sent < 0) {
			conn_cut(c, now);
			return CONN_AGAIN;
		}
	}
	conn_answered(c, now);
	return CONN_AGAIN;
}

/* --- the end --- */

/* Drop what comes in: an unread byte at the close would make it a reset. */
static void linger_drop(struct conn *c)
{
	char rest[512];

	for (unsigned i = 0; i < CONN_TURN_BYTES / sizeof(rest); i++)
		if (c->wire->ops->read(c->wire, rest, sizeof(rest)) == 0)
			return;
}

static void conn_finish(struct conn *c, uint64_t now)
{
	if (!c->wire->ops->finish(c->wire))
		return;
	in_free(c);
	conn_set(c, CONN_LINGER, now + (c->acked < c->written ? CONN_STALL_NS : CONN_LINGER_NS));
}

static void conn_linger(struct conn *c, uint64_t now)
{
	bool acked = c->acked == c->written;

	linger_drop(c);
	if (acked && (now >= c->deadline || c->wire->ops->ended(c->wire)))
		conn_close(c, now);
	else if (now >= c->deadline)
		conn_cut(c, now);
}

/* Take note of acknowledgements: they free what was lent and give more time. */
static void conn_progress(struct conn *c, uint64_t now)
{
	unsigned long acked = c->wire->ops->acked(c->wire);

	if (acked == c->acked)
		return;
	c->acked = acked;
	holds_release(&c->holds, c->site, acked);
	if (c->state == CONN_SEND || c->state == CONN_FINISH)
		c->deadline = now + CONN_STALL_NS;
	else if (c->state == CONN_LINGER)
		c->deadline = now + (acked == c->written ? CONN_LINGER_NS : CONN_STALL_NS);
}

static enum conn_turn turn_end(struct conn *c, uint64_t now, enum conn_turn turn)
{
	if (c->wire != NULL) {
		c->wire->ops->flush(c->wire);
		if ((c->state == CONN_SEND || c->state == CONN_FINISH) && now >= c->deadline)
			conn_cut(c, now);
	}
	return c->state == CONN_OVER ? CONN_DONE : turn;
}

enum conn_turn conn_turn(struct conn *c, uint64_t now)
{
	unsigned long most = c->written + CONN_TURN_BYTES;
	enum conn_turn turn = CONN_AGAIN;

	if (c->state == CONN_COOL && now >= c->deadline)
		conn_end(c);
	if (c->wire == NULL)
		return c->state == CONN_OVER ? CONN_DONE : CONN_WAITS;
	conn_progress(c, now);
	for (unsigned steps = 0; turn == CONN_AGAIN && steps < 64 && c->written < most; steps++) {
		if (c->state == CONN_READ)
			turn = conn_read(c, now) ? CONN_AGAIN : CONN_WAITS;
		else if (c->state == CONN_SEND)
			turn = conn_send(c, now);
		else
			break;
	}
	if (c->state == CONN_FINISH)
		conn_finish(c, now);
	if (c->state == CONN_LINGER)
		conn_linger(c, now);
	if (turn == CONN_AGAIN && c->state != CONN_READ && c->state != CONN_SEND)
		turn = CONN_WAITS;
	return turn_end(c, now, turn);
}
