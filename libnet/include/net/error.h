/* SPDX-License-Identifier: MIT */
/*
 * error.h - errors of the network library: kernel errors go through, these come beside them.
 *
 * Functions return 0 or a count on success, and -EXO_E_* or -NET_E_* on failure; the numbers do
 * not overlap.
 */
#ifndef NET_ERROR_H
#define NET_ERROR_H

#include <exo/errors.h>
#include <stdint.h>

#define NET_ERRORS(X)                                                             \
	X(REFUSED,    1001, "the other side refused the connection")              \
	X(RESET,      1002, "the other side reset the connection")                \
	X(TIMEOUT,    1003, "no answer in time")                                  \
	X(CLOSED,     1004, "the connection is closed")                           \
	X(ABORTED,    1005, "the connection was given up")                        \
	X(UNREACHABLE, 1006, "there is no way to this address")                   \
	X(NOMEM,      1007, "the network stack is out of memory")                 \
	X(NO_ADDRESS, 1008, "this machine has no address yet")                    \
	X(NO_NETWORK, 1009, "there is no NIC, or netcfg gave no access to it")    \
	X(PORT_USED,  1010, "the port is taken")                                  \
	X(NO_PORT,    1011, "no free port is left")                               \
	X(LIMIT,      1012, "netcfg's limit for this program is reached")         \
	X(DENIED,     1013, "netcfg does not give this to this program")          \
	X(NO_NAME,    1014, "no such host name")                                  \
	X(NO_DNS,     1015, "no name server is known")                            \
	X(BAD_NAME,   1016, "this is neither an address nor a host name")         \
	X(DNS_FAILED, 1017, "the name server could not answer")                   \
	X(TOO_LONG,   1018, "longer than a packet can be")                        \
	X(STATE,      1019, "not possible with this socket in its present state") \
	X(RESOLVING,  1020, "the link address is not known yet; it was asked for") \
	X(PROTOCOL,   1021, "the answer breaks the protocol")

#define NET_ERROR_ENUM(name, number, text) NET_E_##name = number,
enum net_error { NET_ERRORS(NET_ERROR_ENUM) };
#undef NET_ERROR_ENUM

/* The text of any error of this library or of the kernel: code or -code. Never NULL. */
const char *net_error_text(int64_t code);

#endif
