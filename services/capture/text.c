/* SPDX-License-Identifier: MIT */
/*
 * text.c - a line of text, and addresses in it.
 */
#include "text.h"

#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <net/address.h>

void text_begin(struct text *t, char *buffer, size_t bytes)
{
	*t = (struct text){ buffer, bytes, 0 };
	if (bytes > 0)
		buffer[0] = '\0';
}

void text_add(struct text *t, const char *format, ...)
{
	size_t room = t->bytes - t->used;
	va_list args;
	int length;

	if (room < 2)
		return;
	va_start(args, format);
	length = format_buffer_v(t->at + t->used, room, format, args);
	va_end(args);
	if (length > 0)
		t->used += min_u64((uint64_t)length, room - 1);
}

void text_mac(struct text *t, const uint8_t *mac)
{
	for (unsigned i = 0; i < 6; i++)
		text_add(t, "%s%02x", i > 0 ? ":" : "", mac[i]);
}

static void text_ip(struct text *t, uint32_t family, const uint8_t *address)
{
	struct net_addr addr = { .family = family };
	char text[NET_ADDR_TEXT];

	memcpy(addr.byte, address, net_addr_bytes(family));
	text_add(t, "%s", net_addr_text(&addr, text));
}

void text_ip4(struct text *t, const uint8_t *address)
{
	text_ip(t, 4, address);
}

void text_ip6(struct text *t, const uint8_t *address)
{
	text_ip(t, 6, address);
}
