/* SPDX-License-Identifier: MIT */
/*
 * tcp.h - the server's listening socket and its wires, over lwIP.
 */
#ifndef HTTPD_TCP_H
#define HTTPD_TCP_H

#include "server.h"

/* Listen on a port of every address this program has a claim for: 0 or -NET_E_*. */
int tcp_serve(struct server *server, uint16_t port);

#endif
