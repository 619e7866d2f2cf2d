/* SPDX-License-Identifier: MIT */
/*
 * capture_words_test.c - which packets, in words, and which packets are the capture's own.
 */
// sources: services/capture/words.c services/capture/own.c libnet/address.c exo/base/format.c
// sources: exo/base/string.c
// includes: services/capture libnet/include libexos/include
#include "capture.h"
#include "words.h"

#include <stdlib.h>

#include "test.h"

static char why[WORDS_WHY];

/* Split at spaces and read. */
static int words(const char *line, struct net_flow *flow)
{
	static char copy[256];
	char *word[32];
	int count = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " "))
		word[count++] = w;
	word[count] = NULL;
	why[0] = '\0';
	return words_read(count, word, flow, why);
}

TEST(no_words_are_all_packets)
{
	static const struct net_flow nothing;
	struct net_flow flow;

	CHECK_EQ(words("", &flow), 0);
	CHECK(memcmp(&flow, &nothing, sizeof(flow)) == 0);
}

TEST(words_become_fields)
{
	struct net_flow flow;
	struct net_addr addr = net_addr_v4(10, 0, 2, 2);

	CHECK_EQ(words("remote 53 udp host 10.0.2.2 port 4096", &flow), 0);
	CHECK_EQ(flow.protocol, NET_UDP);
	CHECK_EQ(flow.family, 4);
	CHECK_EQ(flow.local_port, 4096);
	CHECK_EQ(flow.remote_port, 53);
	CHECK(memcmp(&flow.remote, &addr, sizeof(addr)) == 0);
	CHECK_EQ(flow.local.family, 0);
	CHECK_EQ(words("arp", &flow), 0);
	CHECK_EQ(flow.ethertype, NET_ETHERTYPE_ARP);
	CHECK_EQ(words("ip6 tcp port 80", &flow), 0);
	CHECK_EQ(flow.family, 6);
	CHECK_EQ(flow.protocol, NET_TCP);
	CHECK_EQ(words("icmp", &flow), 0);
	CHECK_EQ(flow.family, 4);
	CHECK_EQ(flow.protocol, NET_ICMP);
	CHECK_EQ(words("icmp6 host fe80::2", &flow), 0);
	CHECK_EQ(flow.remote.family, 6);
	CHECK_EQ(words("ip ip icmp", &flow), 0);
}

TEST(wrong_words)
{
	static const struct { const char *line, *why; } many[] = {
		{ "x", "\"x\" is not known; there are arp, ip, ip6, tcp, udp, icmp, icmp6, host, "
		  "port, remote" },
		{ "port 80", "\"port\" goes with tcp or udp" },
		{ "icmp remote 7", "\"remote\" goes with tcp or udp" },
		{ "tcp port", "\"port\" needs a number from 1 to 65535 behind it" },
		{ "tcp port 0", "\"port\" needs a number from 1 to 65535 behind it" },
		{ "tcp port 65536", "\"port\" needs a number from 1 to 65535 behind it" },
		{ "tcp port 80x", "\"port\" needs a number from 1 to 65535 behind it" },
		{ "tcp port 80 port 81", "\"port\" stands there twice" },
		{ "tcp udp", "\"udp\" contradicts a word before it" },
		{ "arp ip", "\"ip\" contradicts a word before it" },
		{ "ip6 icmp", "\"icmp\" contradicts a word before it" },
		{ "arp tcp", "\"arp\" goes with no other word" },
		{ "arp host 10.0.2.2", "\"arp\" goes with no other word" },
		{ "host example", "\"host\" needs an IPv4 or IPv6 address behind it" },
		{ "host", "\"host\" needs an IPv4 or IPv6 address behind it" },
		{ "host 10.0.2.2 host 10.0.2.3", "\"host\" stands there twice" },
		{ "ip6 host 10.0.2.2", "\"host\" has an address of the other family" },
		{ "host 10.0.2.2 ip6", "\"ip6\" contradicts a word before it" },
	};

	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		struct net_flow flow;

		CHECK_EQ(words(many[i].line, &flow), -1);
		CHECK_STR(why, many[i].why);
	}
}

TEST(a_long_word_is_shown_in_part)
{
	char line[200];
	struct net_flow flow;

	memset(line, 'w', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	CHECK_EQ(words(line, &flow), -1);
	CHECK(strlen(why) < WORDS_WHY);
}

/* A TCP packet over IPv4 with these ports. */
static void packet_make(uint8_t *p, uint8_t header, uint16_t from, uint16_t to)
{
	memset(p, 0, 80);
	p[12] = 8;
	p[14] = 0x40 | header;
	p[23] = 6;
	p[14 + header * 4] = (uint8_t)(from >> 8);
	p[15 + header * 4] = (uint8_t)from;
	p[16 + header * 4] = (uint8_t)(to >> 8);
	p[17 + header * 4] = (uint8_t)to;
}

TEST(own_packets)
{
	uint8_t p[80];

	packet_make(p, 5, 40000, 81);
	CHECK(own_packet(p, sizeof(p), false));
	CHECK(!own_packet(p, sizeof(p), true));
	packet_make(p, 5, 81, 40000);
	CHECK(own_packet(p, sizeof(p), true));
	CHECK(!own_packet(p, sizeof(p), false));
	packet_make(p, 6, 40000, 81);
	CHECK(own_packet(p, sizeof(p), false));
	packet_make(p, 5, 40000, 80);
	CHECK(!own_packet(p, sizeof(p), false));
	packet_make(p, 5, 40000, 81);
	p[21] = 1;      /* a fragment */
	CHECK(!own_packet(p, sizeof(p), false));
	packet_make(p, 5, 40000, 81);
	p[23] = 17;
	CHECK(!own_packet(p, sizeof(p), false));
}

TEST(own_packets_cut_off_anywhere)
{
	uint8_t p[80];

	packet_make(p, 15, 40000, 81);
	for (uint32_t bytes = 0; bytes < sizeof(p); bytes++) {
		uint8_t *part = malloc(bytes > 0 ? bytes : 1);

		memcpy(part, p, bytes);
		CHECK_EQ(own_packet(part, bytes, false), bytes >= 14 + 60 + 4);
		free(part);
	}
}

TEST_MAIN
