/* SPDX-License-Identifier: MIT */
/*
 * fuzz_decode.c - packets of any bytes, cut off anywhere, become a line that ends.
 *
 * Input: two bytes how much longer the packet was than what was captured of it, one byte how short
 * the line is, then the packet.
 */
// sources: services/capture/decode.c services/capture/decode_ip.c
// sources: services/capture/decode_transport.c services/capture/own.c services/capture/text.c
// sources: libnet/address.c exo/base/format.c exo/base/string.c
// includes: services/capture libnet/include libexos/include
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[DECODE_LINE];
	uint8_t *packet;
	uint32_t bytes, longer;
	size_t room;

	if (size < 3)
		return 0;
	longer = (uint32_t)(data[0] << 8 | data[1]);
	room = DECODE_LINE - data[2];
	bytes = (uint32_t)size - 3;
	packet = malloc(bytes > 0 ? bytes : 1);
	memcpy(packet, data + 3, bytes);
	memset(line, 'x', sizeof(line));
	decode_line(packet, bytes, bytes + longer, line, room);
	if (room > 0 && memchr(line, '\0', room) == NULL)
		abort();
	for (size_t i = room; i < sizeof(line); i++)
		if (line[i] != 'x')
			abort();
	own_packet(packet, bytes, data[2] & 1);
	free(packet);
	return 0;
}
