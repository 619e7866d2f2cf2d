/* SPDX-License-Identifier: MIT */
/*
 * linux.h - what the files of the Linux program share.
 */
#ifndef BENCH_LINUX_H
#define BENCH_LINUX_H

#include <sys/types.h>

#include "row.h"
#include "system.h"

#define SMALL_PATH "/small"     /* a program that ends with SMALL_CODE */
#define SMALL_CODE 7

/* Another process on the same CPU that runs `part` for ever; its number, or -1. */
pid_t linux_peer(void (*part)(void));
void linux_peer_end(pid_t peer);

/* Memory that peers see too. */
void *linux_shared(size_t bytes);

/* A word in shared memory says whose turn it is, and a futex wakes who waits for it (0 or 1). */
void linux_turn_wait(uint32_t *turn, uint32_t want);
void linux_turn_give(uint32_t *turn, uint32_t to);

/* Answer so many UDP packets: 0, or 1 and why not is printed. */
unsigned linux_udp(uint32_t answers);

/* The card, as 10.0.2.15, with the peer's link address: 0, or not. */
int linux_card_start(void);

/* Start the web servers that are in the archive, if there are any. */
void linux_servers(void);

/* Serve the network for ever; returns if that cannot be begun. */
void linux_net(void);

/* End a child's life and take its code: the code, or -1. */
int linux_wait(pid_t child);

#endif
