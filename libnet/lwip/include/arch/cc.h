/* SPDX-License-Identifier: MIT */
/*
 * cc.h - what lwIP asks about compiler and platform.
 */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#include <stddef.h>
#include <stdint.h>
#if __STDC_HOSTED__
#include <sys/types.h>          /* tests on the host: its BYTE_ORDER and ssize_t */
#else
#define BYTE_ORDER              LITTLE_ENDIAN
#endif

#define LWIP_NO_CTYPE_H         1
#define LWIP_NO_UNISTD_H        1
#define LWIP_NO_INTTYPES_H      1
#define X8_F    "02x"
#define U16_F   "u"
#define S16_F   "d"
#define X16_F   "x"
#define U32_F   "u"
#define S32_F   "d"
#define X32_F   "x"
#define SZT_F   "zu"

/* Headers of received packets stand at odd places: behind 14 bytes of Ethernet. */
#define PACK_STRUCT_STRUCT      __attribute__((packed))

/* What lwIP believes always true: a panic that says so. */
_Noreturn void net_lwip_panic(const char *what, const char *file, int line);
#define LWIP_PLATFORM_ASSERT(what) net_lwip_panic(what, __FILE__, __LINE__)
#define LWIP_PLATFORM_DIAG(words) ((void)0)

uint32_t net_lwip_random(void);
#define LWIP_RAND()             net_lwip_random()

#endif
