/* SPDX-License-Identifier: MIT */
/*
 * words.h - which packets to capture, in words: what the kernel compares is made of them.
 */
#ifndef CAPTURE_WORDS_H
#define CAPTURE_WORDS_H

#include <net/pattern.h>
#include <stddef.h>

#define WORDS_WHY 128u

/*
 * Read `arp`, `ip`, `ip6`, `tcp`, `udp`, `icmp`, `icmp6`, `host ADDRESS` (of the other side),
 * `port N` (of this machine) and `remote N` (port of the other side), in any order; no word: all
 * packets.  0; -1 with what is wrong in why[WORDS_WHY].
 */
int words_read(int count, char **word, struct net_flow *flow, char *why);

#endif
