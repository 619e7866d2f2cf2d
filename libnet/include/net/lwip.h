/* SPDX-License-Identifier: MIT */
/*
 * lwip.h - lwIP's raw interface, for programs that want callbacks instead of sockets.
 *
 * The interface is lwIP's own (tcp_new, tcp_bind, tcp_listen_with_backlog, tcp_accept, tcp_recv,
 * tcp_sent, tcp_write, tcp_output, tcp_close, ...).  Rules here:
 *  - Call it between net_stack_create and net_stack_end, from the thread that runs the stack;
 *    callbacks come from within net_stack_run and net_stack_poll.
 *  - What callbacks wrote is sent at the end of the turn; outside of a turn call tcp_output and
 *    net_stack_flush.
 *  - A pbuf given to a recv callback may be a lent receive buffer: pbuf_free it soon (a program
 *    that keeps more than three quarters of them is given copies).
 *  - tcp_write without TCP_WRITE_FLAG_COPY: the bytes stay in place and unchanged until the sent
 *    callback has counted them; from registered memory (net_memory_register) they are not copied
 *    at all, from other memory once, into the ring.
 *  - After an err callback, and after tcp_abort, the pcb is gone.  A callback that called tcp_abort
 *    returns ERR_ABRT.
 */
#ifndef NET_LWIP_H
#define NET_LWIP_H

#include <lwip/ip_addr.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <lwip/udp.h>
#include <net/address.h>

/* Addresses between the two forms. */
void net_addr_to_lwip(const struct net_addr *from, ip_addr_t *to);
struct net_addr net_addr_from_lwip(const ip_addr_t *from);

/* lwIP's err_t as -NET_E_*; ERR_OK is 0. */
int net_error_from_lwip(err_t error);

#endif
