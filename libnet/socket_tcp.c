/* SPDX-License-Identifier: MIT */
/*
 * socket_tcp.c - connections: connecting, receiving, sending, closing.
 */
#include "socket_parts.h"

#include <base/util.h>
#include <exos/time.h>
#include <lwip/priv/tcp_priv.h>

#define CLOSE_NS  (5000ul * 1000000)    /* for what was sent to be acknowledged */
#define LINGER_NS (1000ul * 1000000)    /* then, for the other side's end */
#define WRITE_MAX 32768u                /* bytes handed to tcp_write at once (it takes 16 bits) */

/*
 * A window finds buffers in the ring that it comes by, and some are left for acknowledgements of
 * what is sent.  Nothing was promised beyond that: the window of a SYN is below 64 KiB.
 */
static uint32_t window_of(const struct net_socket *s, const struct tcp_pcb *pcb)
{
	struct net_flow flow = { .protocol = NET_TCP, .local_port = pcb->local_port,
				 .family = IP_IS_V6(&pcb->local_ip) ? 6 : 4 };
	const struct stack_ring *ring = stack_ring_for(s->stack, &flow);
	uint32_t window = ring ? stack_ring_window(ring) : 0;

	return window < UINT16_MAX ? UINT16_MAX : window;
}

static void window_fit(struct net_socket *s, struct tcp_pcb *pcb)
{
	uint32_t window = window_of(s, pcb);

	if (pcb->rcv_wnd <= window)
		return;
	s->held_back = s->hold_back = pcb->rcv_wnd - window;
	pcb->rcv_wnd = pcb->rcv_ann_wnd = window;
}

/* So much was read: the window may open by that. */
static void window_open(struct net_socket *s, size_t bytes)
{
	while (s->pcb && bytes) {
		uint16_t part = (uint16_t)min_u64(bytes, UINT16_MAX);

		tcp_recved(s->tcp, part);
		bytes -= part;
	}
}

/*
 * The same, when the ring may have become dense, or no longer be: the window that it affords now
 * is larger, or smaller.  What was promised stays: a window shrinks by not opening again.
 */
static void window_follow(struct net_socket *s, size_t bytes)
{
	bool dense = s->tcp->flags & NET_TF_DENSE;
	uint32_t window;

	if (dense != s->dense) {
		s->dense = dense;
		window = window_of(s, s->tcp);
		s->hold_back = TCP_WND_MAX(s->tcp) > window ? TCP_WND_MAX(s->tcp) - window : 0;
	}
	if (s->hold_back > s->held_back) {
		uint32_t kept = (uint32_t)min_u64(bytes, s->hold_back - s->held_back);

		s->held_back += kept;
		bytes -= kept;
	} else {
		bytes += s->held_back - s->hold_back;
		s->held_back = s->hold_back;
	}
	window_open(s, bytes);
}

static err_t on_receive(void *argument, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
	struct net_socket *s = argument;

	(void)pcb;
	(void)error;
	if (!p)
		s->ended = true;
	else if (!socket_queue(s, p, NULL, 0))
		return ERR_MEM;         /* lwIP keeps it and offers it again */
	return ERR_OK;
}

static void on_error(void *argument, err_t error)
{
	struct net_socket *s = argument;

	s->pcb = NULL;
	s->ended = true;
	if (s->connected)
		s->error = error == ERR_ABRT ? -NET_E_TIMEOUT : net_error_from_lwip(error);
	else
		s->error = error == ERR_RST ? -NET_E_REFUSED : -NET_E_TIMEOUT;
}

static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t error)
{
	struct net_socket *s = argument;

	(void)error;
	s->connected = true;
	window_fit(s, pcb);
	return ERR_OK;
}

void socket_tcp_adopt(struct net_socket *s, struct tcp_pcb *pcb)
{
	s->tcp = pcb;
	s->port = pcb->local_port;
	tcp_arg(pcb, s);
	tcp_recv(pcb, on_receive);
	tcp_err(pcb, on_error);
	window_fit(s, pcb);
}

/* A pcb bound to a port of which packets come to us. */
static int connect_prepare(struct net_socket *s, uint32_t family)
{
	struct net_flow flow = { .protocol = NET_TCP, .family = (uint8_t)family };
	struct tcp_pcb *pcb;
	uint16_t port;
	err_t error;
	int err = socket_claim(s, 0, &flow, &port);

	if (err < 0)
		return err;
	pcb = tcp_new_ip_type(family == 6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
	if (!pcb)
		return -NET_E_NOMEM;
	ip_set_option(pcb, SOF_REUSEADDR);
	error = tcp_bind(pcb, NULL, port);
	if (error != ERR_OK) {
		tcp_abort(pcb);
		return net_error_from_lwip(error);
	}
	socket_tcp_adopt(s, pcb);
	return 0;
}

static int connect_run(struct net_socket *s, const struct net_addr *addr, uint16_t port,
		       uint64_t deadline_tsc)
{
	ip_addr_t to;
	err_t error;

	net_addr_to_lwip(addr, &to);
	socket_resolve(s->stack, addr, deadline_tsc);
	error = tcp_connect(s->tcp, &to, port, on_connected);
	if (error != ERR_OK)
		return net_error_from_lwip(error);
	net_stack_flush(s->stack);
	while (!s->connected && !s->error)
		if (!socket_wait(s->stack, deadline_tsc))
			return -NET_E_TIMEOUT;
	return s->error;
}

int net_connect(struct net_stack *stack, const struct net_addr *addr, uint16_t port,
		uint64_t deadline_tsc, struct net_socket **out)
{
	struct net_socket *s;
	int err;

	if (!addr->family || port == 0)
		return -EXO_E_ARG;
	s = socket_new(stack, SOCKET_TCP);
	if (!s)
		return -NET_E_NOMEM;
	err = connect_prepare(s, addr->family);
	if (err >= 0)
		err = connect_run(s, addr, port, deadline_tsc);
	if (err < 0) {
		net_abort(s);
		return err;
	}
	*out = s;
	return 0;
}

static size_t take(struct net_socket *s, uint8_t *to, size_t bytes)
{
	size_t done = 0;

	while (s->items && done < bytes) {
		struct pbuf *p = s->item[s->first].p;
		uint16_t got = pbuf_copy_partial(p, to + done,
						 (uint16_t)min_u64(bytes - done, UINT16_MAX),
						 (uint16_t)s->offset);

		done += got;
		s->offset += got;
		if (s->offset == p->tot_len)
			socket_drop_first(s);
	}
	if (s->pcb)
		window_follow(s, done);
	/* What the full queue had made lwIP keep. */
	if (s->pcb && s->tcp->refused_data)
		tcp_process_refused_data(s->tcp);
	return done;
}

int64_t net_receive(struct net_socket *s, void *buffer, size_t bytes, uint64_t deadline_tsc)
{
	if (s->kind != SOCKET_TCP || bytes == 0)
		return -EXO_E_ARG;
	while (!s->items) {
		if (s->error)
			return s->error;
		if (s->ended)
			return 0;
		if (!socket_wait(s->stack, deadline_tsc))
			return -NET_E_TIMEOUT;
	}
	return (int64_t)take(s, buffer, bytes);
}

/*
 * As much as lwIP takes now; 0: no room.  A sender who has much to say is not asked for it a
 * segment at a time: what is handed over together goes out together.
 */
static int64_t write_some(struct net_socket *s, const uint8_t *data, size_t bytes)
{
	size_t part = min_u64(min_u64(bytes, WRITE_MAX), tcp_sndbuf(s->tcp));
	uint8_t flags = TCP_WRITE_FLAG_COPY | (part < bytes ? TCP_WRITE_FLAG_MORE : 0);
	err_t error;

	if (part == 0 || tcp_sndbuf(s->tcp) < min_u64(bytes, TCP_SNDLOWAT))
		return 0;
	error = tcp_write(s->tcp, data, (uint16_t)part, flags);
	if (error == ERR_MEM)
		return 0;
	return error == ERR_OK ? (int64_t)part : net_error_from_lwip(error);
}

int64_t net_send(struct net_socket *s, const void *data, size_t bytes, uint64_t deadline_tsc)
{
	const uint8_t *from = data;
	size_t done = 0;

	if (s->kind != SOCKET_TCP)
		return -EXO_E_ARG;
	while (done < bytes) {
		int64_t part = s->error ? s->error : s->shut || !s->pcb ? -NET_E_CLOSED :
			       write_some(s, from + done, bytes - done);

		if (part < 0)
			return done ? (int64_t)done : part;
		done += (size_t)part;
		if (part > 0)
			continue;
		tcp_output(s->tcp);
		if (!socket_wait(s->stack, deadline_tsc))
			return done ? (int64_t)done : -NET_E_TIMEOUT;
	}
	if (s->pcb)
		tcp_output(s->tcp);
	net_stack_flush(s->stack);
	return (int64_t)done;
}

int net_shutdown(struct net_socket *s)
{
	err_t error;

	if (s->kind != SOCKET_TCP)
		return -EXO_E_ARG;
	if (!s->pcb)
		return s->error ? s->error : -NET_E_CLOSED;
	if (s->shut)
		return 0;
	error = tcp_shutdown(s->tcp, 0, 1);
	s->shut = error == ERR_OK;
	net_stack_flush(s->stack);
	return net_error_from_lwip(error);
}

/* Does lwIP still work on this closed connection? (A freed pcb is not in the list.) */
static bool still_active(const struct tcp_pcb *pcb)
{
	for (const struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next)
		if (p == pcb)
			return true;
	return false;
}

void socket_tcp_close(struct net_socket *s)
{
	uint64_t end = exos_deadline(CLOSE_NS);
	struct tcp_pcb *pcb;

	/* With a ring of its own the connection has to end before the ring does. */
	while (s->ring[0] && s->pcb && tcp_sndqueuelen(s->tcp) > 0 && exos_tsc() < end)
		net_stack_run(s->stack, end);
	pcb = s->tcp;
	if (!pcb)
		return;
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_err(pcb, NULL);
	/* A smaller window would mean to lwIP that something was not read: a reset. */
	pcb->rcv_wnd += s->held_back;
	if (tcp_close(pcb) != ERR_OK)
		tcp_abort(pcb);
	s->pcb = NULL;
	net_stack_flush(s->stack);
	end = exos_deadline(LINGER_NS);
	while (s->ring[0] && still_active(pcb) && exos_tsc() < end)
		net_stack_run(s->stack, end);
}

void net_abort(struct net_socket *s)
{
	if (s->kind != SOCKET_TCP) {
		net_close(s);
		return;
	}
	if (s->pcb) {
		tcp_err(s->tcp, NULL);
		tcp_abort(s->tcp);
		net_stack_flush(s->stack);
	}
	socket_free(s);
}

int net_peer(const struct net_socket *s, struct net_addr *addr, uint16_t *port)
{
	if (s->kind != SOCKET_TCP || !s->pcb)
		return -NET_E_CLOSED;
	if (addr)
		*addr = net_addr_from_lwip(&s->tcp->remote_ip);
	if (port)
		*port = s->tcp->remote_port;
	return 0;
}

int net_local(const struct net_socket *s, struct net_addr *addr, uint16_t *port)
{
	if (port)
		*port = s->port;
	if (!addr)
		return 0;
	*addr = (struct net_addr){ .family = 0 };
	if (s->kind == SOCKET_TCP && s->pcb)
		*addr = net_addr_from_lwip(&s->tcp->local_ip);
	return 0;
}
