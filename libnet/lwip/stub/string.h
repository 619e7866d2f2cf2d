/* SPDX-License-Identifier: MIT */
/*
 * string.h - what lwIP asks of a libc's string.h, in a program that has none.
 */
#ifndef LWIP_STUB_STRING_H
#define LWIP_STUB_STRING_H

#include <base/string.h>

#endif
