/* SPDX-License-Identifier: MIT */
/*
 * socket.h - sockets for simple programs: calls that wait, over the one stack of the program.
 *
 * Each call runs the stack (net_stack_run) until it can answer.  Deadlines are time stamps (TSC);
 * 0: none; 1: do not wait (-NET_E_TIMEOUT at once if there is nothing).  Counts and 0 are success,
 * -EXO_E_* and -NET_E_* failure (net/error.h).  Not for use inside lwIP callbacks.
 *
 * A socket with a port of its own asks netcfg's gate for the claim, unless the stack has a ring
 * already whose flow covers the port; the claim goes back when the socket is closed.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <net/address.h>
#include <net/error.h>
#include <net/stack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net_socket;

/* Connect over TCP. */
int net_connect(struct net_stack *stack, const struct net_addr *addr, uint16_t port,
		uint64_t deadline_tsc, struct net_socket **out);

/* Listen on a TCP port (of all own addresses) and take connections; backlog: 1 to 255. */
int net_listen(struct net_stack *stack, uint16_t port, unsigned backlog, struct net_socket **out);
int net_accept(struct net_socket *listener, uint64_t deadline_tsc, struct net_socket **out);

/* Receive up to `bytes` (at least 1) of a stream: the count; 0: the other side has ended it. */
int64_t net_receive(struct net_socket *socket, void *buffer, size_t bytes, uint64_t deadline_tsc);

/*
 * Send all of it: `bytes`, or fewer if the deadline passed in the middle, or an error if nothing
 * went.  "Sent" is: copied into the stack.
 */
int64_t net_send(struct net_socket *socket, const void *data, size_t bytes, uint64_t deadline_tsc);

/* No more will be sent; what was sent before still arrives. */
int net_shutdown(struct net_socket *socket);

/*
 * Close: what was sent still goes out while the stack is run (for at most 5 s here, if it is not
 * acknowledged before).  The socket is gone, whatever happens.
 */
void net_close(struct net_socket *socket);
/* Close with a reset, at once. */
void net_abort(struct net_socket *socket);

/* The two ends of a connection; either pointer may be NULL. */
int net_peer(const struct net_socket *socket, struct net_addr *addr, uint16_t *port);
int net_local(const struct net_socket *socket, struct net_addr *addr, uint16_t *port);

/* A UDP socket of family 4 or 6; port 0: any free one. */
int net_udp(struct net_stack *stack, uint32_t family, uint16_t port, struct net_socket **out);
int64_t net_send_to(struct net_socket *socket, const void *data, size_t bytes,
		    const struct net_addr *addr, uint16_t port);
/* One datagram, cut off at `bytes`; addr and port (may be NULL) say from whom. */
int64_t net_receive_from(struct net_socket *socket, void *buffer, size_t bytes,
			 struct net_addr *addr, uint16_t *port, uint64_t deadline_tsc);

/* Wait for any of several sockets. */
#define NET_POLL_IN    1u       /* data, a connection to accept, or the end */
#define NET_POLL_OUT   2u       /* room to send: 48 KiB, for a connection */
#define NET_POLL_ERROR 4u       /* reported whether asked for or not */
struct net_poll {
	struct net_socket *socket;
	uint32_t wanted;        /* NET_POLL_* */
	uint32_t ready;         /* filled in */
};
/* How many are ready; 0: the deadline passed. */
int net_poll(struct net_stack *stack, struct net_poll *list, unsigned count,
	     uint64_t deadline_tsc);

/*
 * The address of a host: a numeric one, or by DNS (A records, then AAAA).  Errors: NO_NAME, NO_DNS,
 * BAD_NAME, DNS_FAILED, TIMEOUT.
 */
int net_lookup(struct net_stack *stack, const char *host, uint64_t deadline_tsc,
	       struct net_addr *out);

/* Echo requests (ping), by a claim on an identifier of one's own. */
int net_echo_open(struct net_stack *stack, uint32_t family, struct net_socket **out);
struct net_echo {
	uint64_t round_trip_ns;
	uint32_t bytes;         /* of payload that came back */
	uint8_t  ttl;           /* of the reply; 0: not known (IPv6) */
};
/*
 * Send one request with `bytes` of payload (up to 1400) and wait for its reply:
 * 0; -NET_E_TIMEOUT; -NET_E_PROTOCOL: the payload came back changed.
 */
int net_echo(struct net_socket *socket, const struct net_addr *addr, uint16_t sequence,
	     uint32_t bytes, uint64_t deadline_tsc, struct net_echo *reply);

#endif
