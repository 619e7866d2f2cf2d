/* SPDX-License-Identifier: MIT */
/*
 * stdio.h - what lwIP asks of a libc's stdio.h, in a program that has none.
 */
#ifndef LWIP_STUB_STDIO_H
#define LWIP_STUB_STDIO_H

#endif
