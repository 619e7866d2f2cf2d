/* SPDX-License-Identifier: MIT */
/*
 * pattern.h - where the fields stand that patterns name, in bytes from the Ethernet header.
 */
#ifndef LIBNET_PATTERN_H
#define LIBNET_PATTERN_H

#define PATTERN_MAC_DEST     0u
#define PATTERN_MAC_SOURCE   6u
#define PATTERN_TYPE         12u
#define PATTERN_IP           14u        /* version and, in IPv4, header length in words */

#define PATTERN_IP4_FRAGMENT 20u        /* 16 bits: flags and fragment offset */
#define PATTERN_IP4_FRAGMENT_BITS 0x3fffu       /* "more fragments" and the offset */
#define PATTERN_IP4_PROTOCOL 23u
#define PATTERN_IP4_SOURCE   26u
#define PATTERN_IP4_DEST     30u
#define PATTERN_IP4_PORTS    34u        /* without options */

#define PATTERN_IP6_NEXT     20u
#define PATTERN_IP6_SOURCE   22u
#define PATTERN_IP6_DEST     38u
#define PATTERN_IP6_PORTS    54u        /* without extension headers */

#define PATTERN_ECHO_ID      4u         /* identifier, from the ICMP header */
#define PATTERN_ECHO4_REPLY   0u
#define PATTERN_ECHO4_REQUEST 8u
#define PATTERN_ECHO6_REQUEST 128u
#define PATTERN_ECHO6_REPLY   129u

#endif
