/* SPDX-License-Identifier: MIT */
/*
 * tcp.c - wires over lwIP: its callbacks take notes, the rest is asked for.
 *
 * Invariant: pcb is NULL from the moment lwIP may free it.  A pcb in TIME_WAIT is let go at once:
 * lwIP takes such ones back without a word when it lacks memory, or when their ports are used anew.
 */
#include "tcp.h"

#include <base/util.h>
#include <exos/heap.h>
#include <exos/time.h>
#include <lwip/priv/tcp_priv.h>
#include <net/lwip.h>

/*
 * Bytes that came in and were not read, of all connections together.  A client may have a window's
 * worth under way; one that goes on while this much waits is cut off.
 */
#define PENDING_MOST (1u << 20)
#define QUEUE_SPARE  16u        /* pbufs of lwIP's send queue left for headers */

struct tcp_wire {
	struct wire wire;
	struct tcp_pcb *pcb;    /* NULL: gone, or let go */
	struct pbuf *in;        /* came in, not read; the first from in_at on */
	uint32_t in_at;
	bool     ended;         /* the client has ended its side */
	unsigned long acked;
	struct server *server;
	struct server_conn *conn;
};

static size_t pending;

static struct tcp_wire *wire_of(const struct wire *wire)
{
	return container_of((struct wire *)wire, struct tcp_wire, wire);
}

/* No callback comes any more. */
static struct tcp_pcb *wire_detach(struct tcp_wire *w)
{
	struct tcp_pcb *pcb = w->pcb;

	w->pcb = NULL;
	if (pcb == NULL)
		return NULL;
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_err(pcb, NULL);
	return pcb;
}

static void wire_free(struct tcp_wire *w)
{
	if (w->in != NULL) {
		pending -= w->in->tot_len - w->in_at;
		pbuf_free(w->in);
	}
	free(w);
}

/* Both sides have ended and all is acknowledged: lwIP keeps the pcb for itself. */
static void wire_check_over(struct tcp_wire *w)
{
	if (w->pcb == NULL || w->pcb->state != TIME_WAIT)
		return;
	wire_detach(w);
	w->ended = true;
}

/* --- what connections ask for --- */

static size_t wire_read(struct wire *wire, void *out, size_t bytes)
{
	struct tcp_wire *w = wire_of(wire);
	size_t done = 0;

	while (done < bytes && w->in != NULL) {
		struct pbuf *p = w->in;
		size_t piece = min_u64(bytes - done, p->len - w->in_at);

		pbuf_copy_partial(p, (char *)out + done, (u16_t)piece, (u16_t)w->in_at);
		done += piece;
		w->in_at += (uint32_t)piece;
		if (w->in_at < p->len)
			break;
		w->in = p->next;
		w->in_at = 0;
		if (p->next != NULL)
			pbuf_ref(p->next);
		pbuf_free(p);
	}
	pending -= done;
	if (w->pcb != NULL && done > 0)
		tcp_recved(w->pcb, (u16_t)done);
	return done;
}

static bool wire_ended(const struct wire *wire)
{
	const struct tcp_wire *w = wire_of(wire);

	return w->ended && w->in == NULL;
}

static size_t wire_room(const struct wire *wire)
{
	const struct tcp_wire *w = wire_of(wire);

	if (w->pcb == NULL || tcp_sndqueuelen(w->pcb) >= TCP_SND_QUEUELEN - QUEUE_SPARE)
		return 0;
	return min_u64(tcp_sndbuf(w->pcb), 65535);
}

static bool wire_write(struct wire *wire, const void *data, size_t bytes, bool lent, bool more)
{
	struct tcp_wire *w = wire_of(wire);
	u8_t flags = (u8_t)((lent ? 0 : TCP_WRITE_FLAG_COPY) | (more ? TCP_WRITE_FLAG_MORE : 0));

	return w->pcb != NULL && tcp_write(w->pcb, data, (u16_t)bytes, flags) == ERR_OK;
}

static unsigned long wire_acked(const struct wire *wire)
{
	return wire_of(wire)->acked;
}

static void wire_flush(struct wire *wire)
{
	struct tcp_wire *w = wire_of(wire);

	if (w->pcb != NULL)
		tcp_output(w->pcb);
}

static bool wire_finish(struct wire *wire)
{
	struct tcp_wire *w = wire_of(wire);

	return w->pcb == NULL || tcp_shutdown(w->pcb, 0, 1) == ERR_OK;
}

static void wire_close(struct wire *wire)
{
	struct tcp_wire *w = wire_of(wire);
	struct tcp_pcb *pcb = wire_detach(w);

	if (pcb != NULL && tcp_close(pcb) != ERR_OK)
		tcp_abort(pcb);
	wire_free(w);
}

static void wire_abort(struct wire *wire)
{
	struct tcp_wire *w = wire_of(wire);
	struct tcp_pcb *pcb = wire_detach(w);

	if (pcb != NULL)
		tcp_abort(pcb);
	wire_free(w);
}

static const struct wire_ops wire_ops = {
	.read = wire_read, .ended = wire_ended, .room = wire_room, .write = wire_write,
	.acked = wire_acked, .flush = wire_flush, .finish = wire_finish, .close = wire_close,
	.abort = wire_abort,
};

/* --- what lwIP tells --- */

/* The pcb is gone already: a reset, or lwIP gave up. */
static void tcp_gone(void *argument, err_t error)
{
	struct tcp_wire *w = argument;

	(void)error;
	w->pcb = NULL;
	server_lost(w->server, w->conn);
	wire_free(w);
}

static err_t tcp_came(void *argument, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
	struct tcp_wire *w = argument;

	(void)error;
	if (p == NULL) {
		w->ended = true;
		wire_check_over(w);
	} else if (pending + p->tot_len > PENDING_MOST) {
		pbuf_free(p);
		wire_detach(w);
		tcp_abort(pcb);
		tcp_gone(w, ERR_ABRT);
		return ERR_ABRT;
	} else {
		pending += p->tot_len;
		if (w->in == NULL)
			w->in = p;
		else
			pbuf_cat(w->in, p);
	}
	server_wake(w->server, w->conn);
	return ERR_OK;
}

static err_t tcp_counted(void *argument, struct tcp_pcb *pcb, u16_t bytes)
{
	struct tcp_wire *w = argument;

	(void)pcb;
	w->acked += bytes;
	wire_check_over(w);
	server_wake(w->server, w->conn);
	return ERR_OK;
}

static err_t tcp_made(void *argument, struct tcp_pcb *pcb, err_t error)
{
	struct tcp_wire *w = error == ERR_OK && pcb != NULL ? calloc(1, sizeof(*w)) : NULL;

	if (w == NULL)
		return ERR_MEM;
	w->wire.ops = &wire_ops;
	w->pcb = pcb;
	w->server = argument;
	w->conn = server_open(w->server, &w->wire, exos_ns());
	if (w->conn == NULL) {
		free(w);
		return ERR_MEM;
	}
	tcp_arg(pcb, w);
	tcp_recv(pcb, tcp_came);
	tcp_sent(pcb, tcp_counted);
	tcp_err(pcb, tcp_gone);
	/* Answers are written whole: waiting to fill a segment would only delay their ends. */
	tcp_nagle_disable(pcb);
	return ERR_OK;
}

int tcp_serve(struct server *server, uint16_t port)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY), *listener;
	err_t error;

	if (pcb == NULL)
		return net_error_from_lwip(ERR_MEM);
	error = tcp_bind(pcb, IP_ANY_TYPE, port);
	listener = error == ERR_OK ? tcp_listen_with_backlog_and_err(pcb, 255, &error) : NULL;
	if (listener == NULL) {
		tcp_abort(pcb);
		return net_error_from_lwip(error);
	}
	tcp_arg(listener, server);
	tcp_accept(listener, tcp_made);
	return 0;
}
