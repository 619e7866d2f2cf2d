/* SPDX-License-Identifier: MIT */
/*
 * text.h - a line of text put together piece by piece in a buffer.
 *
 * Invariant: what is in the buffer ends with NUL; what finds no room is left out.
 */
#ifndef CAPTURE_TEXT_H
#define CAPTURE_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
	char  *at;
	size_t bytes, used;     /* of the buffer; of these, text without its NUL */
};

void text_begin(struct text *t, char *buffer, size_t bytes);
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Addresses as on the wire: 6, 4 and 16 bytes; IPv6 in the form of RFC 5952. */
void text_mac(struct text *t, const uint8_t *mac);
void text_ip4(struct text *t, const uint8_t *address);
void text_ip6(struct text *t, const uint8_t *address);

#endif
