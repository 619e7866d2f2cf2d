/* SPDX-License-Identifier: MIT */
/*
 * hooks.h - functions that lwIP calls here by LWIP_HOOK_*.
 */
#ifndef ARCH_HOOKS_H
#define ARCH_HOOKS_H

#include <lwip/err.h>
#include <lwip/ip_addr.h>

struct tcp_pcb;

/* The initial sequence number of a connection; ports in host order. */
uint32_t net_lwip_isn(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
		      uint16_t remote_port);

/* A segment has come for this connection, or listener, and will be looked at (stack_in.c). */
err_t net_lwip_segment(struct tcp_pcb *pcb);

#endif
