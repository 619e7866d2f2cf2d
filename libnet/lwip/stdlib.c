/* SPDX-License-Identifier: MIT */
/*
 * stdlib.c - the one function of a C library's stdlib.h that lwIP calls.
 */
#include <stdlib.h>

/* Digits only, which is all that follows an interface's two letters; stops at anything else. */
int atoi(const char *text)
{
	unsigned value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (unsigned)(*text - '0');
	return (int)value;
}
