/* SPDX-License-Identifier: MIT */
/*
 * string.h - what xxhash.h asks of a libc's string.h, in a program that has none.
 */
#ifndef BASE_STUB_STRING_H
#define BASE_STUB_STRING_H

#include <base/string.h>

#endif
