/* SPDX-License-Identifier: MIT */
/*
 * capture_decode_test.c - packets as lines of words: whole, cut off at every byte, and random.
 */
// sources: services/capture/decode.c services/capture/decode_ip.c
// sources: services/capture/decode_transport.c services/capture/text.c exo/base/format.c
// sources: libnet/address.c
// sources: exo/base/string.c
// includes: services/capture libnet/include
#include "decode.h"

#include <stdlib.h>

#include "test.h"

/* A packet written as hexadecimal digits, spaces between them as one likes. */
struct packet {
	uint8_t *at;            /* of exactly `bytes` bytes: the sanitizer sees each one too many */
	uint32_t bytes;
};

static struct packet packet_read(const char *hex)
{
	uint8_t buffer[2048];
	struct packet p = { NULL, 0 };
	unsigned value;

	for (; *hex; hex += 2) {
		while (*hex == ' ')
			hex++;
		if (!*hex || sscanf(hex, "%2x", &value) != 1)
			break;
		buffer[p.bytes++] = (uint8_t)value;
	}
	p.at = malloc(p.bytes > 0 ? p.bytes : 1);
	memcpy(p.at, buffer, p.bytes);
	return p;
}

static const char *decoded(const char *hex)
{
	static char line[DECODE_LINE];
	struct packet p = packet_read(hex);

	decode_line(p.at, p.bytes, p.bytes, line, sizeof(line));
	free(p.at);
	return line;
}

#define MACS  "52550a000202 525400123456 "
#define IP4(total, proto) "4500" total "00000000 40" proto "0000 0a00020f 0a000202 "

static const char tcp_syn[] = MACS "0800" IP4("002c", "06")
	"0050 c001 00000001 00000000 6002 ffff 0000 0000 020405b4 0000";
static const char tcp_data[] = MACS "0800" IP4("002b", "06")
	"0050 c001 00000064 00000007 5018 2000 0000 0000 616263";
static const char ping_request[] = MACS "0800" IP4("0020", "01") "0800 0000 1234 0007 61626364";
static const char neighbor[] = "3333ff000002 525400123456 86dd 60000000 0020 3a ff "
	"fe800000000000005054 00fffe123456 ff0200000000000000000001ff000002 "
	"87000000 00000000 fec00000000000000000000000000002 0101525400123456";

TEST(arp)
{
	CHECK_STR(decoded(MACS "0806 0001 0800 06 04 0001 525400123456 0a00020f "
			  "000000000000 0a000202"),
		  "ARP request who-has 10.0.2.2 tell 10.0.2.15, length 28");
	CHECK_STR(decoded(MACS "0806 0001 0800 06 04 0002 52550a000202 0a000202 "
			  "525400123456 0a00020f 0000"),
		  "ARP reply 10.0.2.2 is-at 52:55:0a:00:02:02, length 30");
	CHECK_STR(decoded(MACS "0806 0001 0800 06 04 0001 5254"), "ARP cut off, length 10");
}

TEST(tcp)
{
	CHECK_STR(decoded(tcp_syn),
		  "IP 10.0.2.15.80 > 10.0.2.2.49153: Flags [S], seq 1, win 65535, length 0");
	CHECK_STR(decoded(tcp_data), "IP 10.0.2.15.80 > 10.0.2.2.49153: Flags [P.], "
		  "seq 100:103, ack 7, win 8192, length 3");
}

TEST(tcp_padding_is_no_payload)
{
	CHECK_STR(decoded(MACS "0800" IP4("0028", "06") "0050 c001 00000064 00000007 5010 2000 "
			  "0000 0000 000000000000"),
		  "IP 10.0.2.15.80 > 10.0.2.2.49153: Flags [.], ack 7, win 8192, length 0");
}

TEST(tcp_header_length_that_lies)
{
	CHECK_STR(decoded(MACS "0800" IP4("0028", "06") "0050 c001 00000064 00000007 f010 2000 "
			  "0000 0000"),
		  "IP 10.0.2.15.80 > 10.0.2.2.49153: TCP, bad header length 60");
}

TEST(udp)
{
	CHECK_STR(decoded(MACS "0800" IP4("0020", "11") "1234 0035 000c 0000 61626364"),
		  "IP 10.0.2.15.4660 > 10.0.2.2.53: UDP, DNS, length 4");
	CHECK_STR(decoded(MACS "0800" IP4("0020", "11") "1234 1235 0007 0000 61626364"),
		  "IP 10.0.2.15.4660 > 10.0.2.2.4661: UDP, bad length 7");
	CHECK_STR(decoded(MACS "0800" IP4("0020", "11") "1234 1235 ffff 0000 61626364"),
		  "IP 10.0.2.15.4660 > 10.0.2.2.4661: UDP, bad length 65535");
}

TEST(icmp)
{
	CHECK_STR(decoded(ping_request),
		  "IP 10.0.2.15 > 10.0.2.2: ICMP echo request, id 4660, seq 7, length 12");
	CHECK_STR(decoded(MACS "0800" IP4("001c", "01") "0303 0000 0000 0000"),
		  "IP 10.0.2.15 > 10.0.2.2: ICMP port unreachable, length 8");
}

TEST(fragments)
{
	CHECK_STR(decoded(MACS "0800 4500 001c 0000 20b9 40 11 0000 0a00020f 0a000202 "
			  "0102030405060708"),
		  "IP 10.0.2.15 > 10.0.2.2: fragment of protocol 17 at 1480, more follow, "
		  "length 8");
	CHECK_STR(decoded(MACS "0800 4500 001c 0000 2000 40 11 0000 0a00020f 0a000202 "
			  "1234 1235 0008 0000"),
		  "IP 10.0.2.15.4660 > 10.0.2.2.4661: UDP, length 0, first fragment");
}

TEST(ip4_headers_that_lie)
{
	CHECK_STR(decoded(MACS "0800 4400 0014 0000 0000 40 11 0000 0a00020f 0a000202"),
		  "IP bad header (version 4, header 16, total 20)");
	CHECK_STR(decoded(MACS "0800 4500 0013 0000 0000 40 11 0000 0a00020f 0a000202"),
		  "IP bad header (version 4, header 20, total 19)");
	CHECK_STR(decoded(MACS "0800 4f00 003c 0000 0000 40 11 0000 0a00020f 0a000202"),
		  "IP bad header (version 4, header 60, total 60)");
	CHECK_STR(decoded(MACS "0800 4500 0020 0000 0000 40 11 0000 0a00020f 0a000202 0102"),
		  "IP cut short by 10, 10.0.2.15 > 10.0.2.2: UDP cut off, length 2");
}

TEST(ip6)
{
	CHECK_STR(decoded(neighbor), "IP6 fe80::5054:ff:fe12:3456 > ff02::1:ff00:2: ICMP6, "
		  "neighbor solicitation, who has fec0::2, length 32");
}

TEST(ip6_options_are_skipped)
{
	CHECK_STR(decoded("333300000016 525400123456 86dd 60000000 0010 00 01 "
			  "00000000000000000000000000000000 ff020000000000000000000000000016 "
			  "3a00 0502 0000 0100 8f00 0000 0000 0001"),
		  "IP6 :: > ff02::16: ICMP6, multicast listener report v2, length 8");
}

TEST(others)
{
	CHECK_STR(decoded("525400"), "runt, length 3");
	CHECK_STR(decoded(MACS "88cc 0102"),
		  "52:54:00:12:34:56 > 52:55:0a:00:02:02, ethertype 0x88cc, length 2");
	CHECK_STR(decoded(MACS "0003 424203"),
		  "52:54:00:12:34:56 > 52:55:0a:00:02:02, 802.3, length 3");
	CHECK_STR(decoded(MACS "8100 2007 0806 0001"), "vlan 7, ARP cut off, length 2");
	CHECK_STR(decoded(MACS "0800" IP4("0016", "59") "0102"),
		  "IP 10.0.2.15 > 10.0.2.2: protocol 89, length 2");
}

/* Cut off anywhere: no byte behind the end is read, and something is said. */
TEST(cut_off_at_every_byte)
{
	static const char *const all[] = { tcp_syn, tcp_data, ping_request, neighbor };

	for (size_t n = 0; n < sizeof(all) / sizeof(all[0]); n++) {
		struct packet whole = packet_read(all[n]);

		for (uint32_t bytes = 0; bytes < whole.bytes; bytes++) {
			uint8_t *part = malloc(bytes > 0 ? bytes : 1);
			char line[DECODE_LINE] = "";

			memcpy(part, whole.at, bytes);
			decode_line(part, bytes, whole.bytes, line, sizeof(line));
			CHECK(line[0] != '\0');
			free(part);
		}
		free(whole.at);
	}
}

TEST(random_bytes_and_short_lines)
{
	static const uint8_t types[][2] = { { 8, 0 }, { 8, 6 }, { 0x86, 0xdd }, { 0x81, 0 } };

	srand(1);
	for (int n = 0; n < 200000; n++) {
		uint32_t bytes = (uint32_t)rand() % 90, room = (uint32_t)rand() % DECODE_LINE;
		uint8_t *p = malloc(bytes > 0 ? bytes : 1);
		char *line = malloc(room > 0 ? room : 1);

		for (uint32_t i = 0; i < bytes; i++)
			p[i] = (uint8_t)(rand() % 5 ? rand() : 0);
		if (bytes >= 15) {
			memcpy(p + 12, types[rand() % 4], 2);
			p[14] = (uint8_t)(rand() % 2 ? 0x45 : 0x60);
		}
		decode_line(p, bytes, bytes + (uint32_t)(rand() % 3), line, room);
		CHECK(room == 0 || memchr(line, '\0', room) != NULL);
		free(line);
		free(p);
	}
}

TEST_MAIN
