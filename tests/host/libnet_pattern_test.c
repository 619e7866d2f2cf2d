/* SPDX-License-Identifier: MIT */
/*
 * libnet_pattern_test.c - flows as masked bytes against packets made by hand, and their words.
 */
// sources: libnet/pattern.c libnet/pattern_text.c libnet/address.c exo/base/format.c
// includes: libnet/include
#include "test.h"

#include <net/pattern.h>

#include <exo/errors.h>

size_t string_copy(char *dst, const char *src, size_t bytes);
size_t string_copy(char *dst, const char *src, size_t bytes)
{
	return (size_t)snprintf(dst, bytes, "%s", src);
}

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t peer_mac[6] = { 0x52, 0x55, 10, 0, 2, 2 };

/* From 10.0.2.2:1234 to 10.0.2.15:80, TCP, no options, not a fragment. */
static void tcp4(uint8_t p[128])
{
	static const uint8_t head[] = {
		0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x52, 0x55, 10, 0, 2, 2, 0x08, 0x00,
		0x45, 0, 0, 60, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 10, 0, 2, 2, 10, 0, 2, 15,
		0x04, 0xd2, 0, 80,
	};

	memset(p, 0, 128);
	memcpy(p, head, sizeof head);
}

/* The answer: both sides exchanged. */
static void turn(uint8_t p[128])
{
	uint8_t t[6];

	memcpy(t, p, 6);
	memcpy(p, p + 6, 6);
	memcpy(p + 6, t, 6);
	memcpy(t, p + 26, 4);
	memcpy(p + 26, p + 30, 4);
	memcpy(p + 30, t, 4);
	memcpy(t, p + 34, 2);
	memcpy(p + 34, p + 36, 2);
	memcpy(p + 36, t, 2);
}

static struct exo_nic_spec spec_of(struct net_flow flow, const uint8_t *mac)
{
	struct exo_nic_spec spec;

	memset(&spec, 0, sizeof spec);
	CHECK_EQ(net_pattern_flow(&spec, &flow, mac), 0);
	return spec;
}

static struct net_flow port80(void)
{
	return (struct net_flow){ .protocol = NET_TCP, .local_port = 80,
				  .local = net_addr_v4(10, 0, 2, 15) };
}

/* Change one byte: it must not match any more. */
static void changed(const struct exo_pattern *pattern, const uint8_t good[128], unsigned at,
		    uint8_t value, bool still)
{
	uint8_t p[128];

	memcpy(p, good, sizeof p);
	p[at] = value;
	if (net_pattern_match(pattern, p) != still)
		test_fail("byte %u as %#x: %s", at, value, still ? "refused" : "taken");
}

TEST(tcp_port_of_an_address)
{
	struct exo_nic_spec s = spec_of(port80(), own_mac);
	uint8_t p[128];

	tcp4(p);
	CHECK(net_pattern_match(&s.receive, p));
	CHECK(!net_pattern_match(&s.send, p));
	changed(&s.receive, p, 0, 0xff, true);          /* any link address */
	changed(&s.receive, p, 13, 0x06, false);        /* another ethertype */
	changed(&s.receive, p, 14, 0x46, false);        /* IPv4 options */
	changed(&s.receive, p, 14, 0x65, false);        /* version */
	changed(&s.receive, p, 20, 0x20, false);        /* more fragments */
	changed(&s.receive, p, 20, 0x00, true);         /* may be fragmented, is not */
	changed(&s.receive, p, 20, 0x41, false);        /* a later fragment */
	changed(&s.receive, p, 21, 0x01, false);
	changed(&s.receive, p, 23, 17, false);          /* UDP */
	changed(&s.receive, p, 26, 11, true);           /* any peer */
	changed(&s.receive, p, 33, 16, false);          /* another address */
	changed(&s.receive, p, 34, 9, true);            /* any peer's port */
	changed(&s.receive, p, 37, 81, false);          /* another port */
	turn(p);
	CHECK(net_pattern_match(&s.send, p));
	changed(&s.send, p, 0, 0xff, true);
	changed(&s.send, p, 6, 0x02, false);            /* forged link address */
	changed(&s.send, p, 29, 16, false);             /* forged address */
	changed(&s.send, p, 35, 81, false);             /* forged port */
	changed(&s.send, p, 14, 0x46, false);
	changed(&s.send, p, 20, 0x20, false);
	changed(&s.send, p, 23, 17, false);
}

TEST(one_connection_and_blocks_of_ports)
{
	struct net_flow f = port80();
	struct exo_nic_spec s;
	uint8_t p[128];

	f.remote = net_addr_v4(10, 0, 2, 2);
	f.remote_port = 1234;
	s = spec_of(f, NULL);
	tcp4(p);
	CHECK(net_pattern_match(&s.receive, p));
	changed(&s.receive, p, 29, 3, false);
	changed(&s.receive, p, 35, 0xd3, false);
	turn(p);
	CHECK(net_pattern_match(&s.send, p));
	changed(&s.send, p, 33, 3, false);
	changed(&s.send, p, 37, 0xd3, false);
	/* Ports 64 to 95. */
	s = spec_of((struct net_flow){ .protocol = NET_TCP, .local_port = 64,
				       .local_mask = 0xffe0 }, NULL);
	tcp4(p);
	for (unsigned port = 0; port < 256; port++)
		changed(&s.receive, p, 37, (uint8_t)port, port >= 64 && port < 96);
}

TEST(ipv6_port)
{
	struct net_addr own = { 6, { 0xfe, 0xc0, [15] = 0x15 } };
	struct exo_nic_spec s = spec_of((struct net_flow){ .protocol = NET_UDP, .local = own,
							   .local_port = 7 }, own_mac);
	uint8_t p[128] = { 0 };

	memcpy(p, own_mac, 6);
	memcpy(p + 6, peer_mac, 6);
	p[12] = 0x86;
	p[13] = 0xdd;
	p[14] = 0x60;
	p[20] = 17;
	memcpy(p + 38, own.byte, 16);
	p[57] = 7;
	CHECK(net_pattern_match(&s.receive, p));
	changed(&s.receive, p, 14, 0x6f, true);         /* traffic class */
	changed(&s.receive, p, 14, 0x45, false);
	changed(&s.receive, p, 20, 44, false);          /* a fragment header */
	changed(&s.receive, p, 53, 0x16, false);
	changed(&s.receive, p, 57, 8, false);
	CHECK(!net_pattern_match(&s.send, p));
}

TEST(echo_receives_replies_and_sends_requests)
{
	struct exo_nic_spec s = spec_of((struct net_flow){ .protocol = NET_ICMP, .echo = 0x1234 },
					NULL);
	uint8_t p[128];

	tcp4(p);
	p[23] = NET_ICMP;
	p[34] = 0;
	p[35] = 0;
	p[38] = 0x12;
	p[39] = 0x34;
	CHECK(net_pattern_match(&s.receive, p));
	changed(&s.receive, p, 34, 8, false);
	changed(&s.receive, p, 34, 3, false);
	changed(&s.receive, p, 39, 0x35, false);
	p[34] = 8;
	CHECK(net_pattern_match(&s.send, p));
	changed(&s.send, p, 34, 0, false);
	changed(&s.send, p, 34, 5, false);              /* a redirect */
	changed(&s.send, p, 38, 0x13, false);
}

TEST(ethertypes_and_whole_protocols)
{
	struct exo_nic_spec s = spec_of((struct net_flow){ .ethertype = NET_ETHERTYPE_ARP }, NULL);
	uint8_t p[128];

	tcp4(p);
	CHECK(!net_pattern_match(&s.receive, p));
	p[13] = 6;
	CHECK(net_pattern_match(&s.receive, p) && net_pattern_match(&s.send, p));
	/* A whole protocol takes options and fragments too. */
	s = spec_of((struct net_flow){ .protocol = NET_TCP }, NULL);
	tcp4(p);
	CHECK(net_pattern_match(&s.receive, p));
	changed(&s.receive, p, 14, 0x46, true);
	changed(&s.receive, p, 20, 0x20, true);
	/* Nothing said: everything. */
	s = spec_of((struct net_flow){ .protocol = 0 }, NULL);
	changed(&s.receive, p, 12, 0xaa, true);
}

TEST(values_keep_to_their_masks)
{
	struct exo_nic_spec s = spec_of(port80(), own_mac);

	for (unsigned i = 0; i < EXO_NIC_WORDS; i++) {
		CHECK_EQ(s.receive.value[i] & ~s.receive.mask[i], 0);
		CHECK_EQ(s.send.value[i] & ~s.send.mask[i], 0);
	}
	/* A block of ports whose first is not its lowest. */
	s = spec_of((struct net_flow){ .protocol = NET_UDP, .local_port = 0x1fff,
				       .local_mask = 0xff00 }, NULL);
	for (unsigned i = 0; i < EXO_NIC_WORDS; i++)
		CHECK_EQ(s.receive.value[i] & ~s.receive.mask[i], 0);
}

static int try(struct net_flow flow)
{
	struct exo_nic_spec spec;

	memset(&spec, 0, sizeof spec);
	return net_pattern_flow(&spec, &flow, NULL);
}

TEST(contradictions_are_refused)
{
	struct net_addr six = { 6, { 0xfe } };

	CHECK_EQ(try((struct net_flow){ .local_port = 80 }), -EXO_E_ARG);
	CHECK_EQ(try((struct net_flow){ .protocol = NET_ICMP, .remote_port = 80 }), -EXO_E_ARG);
	CHECK_EQ(try((struct net_flow){ .protocol = NET_TCP, .echo = 1 }), -EXO_E_ARG);
	CHECK_EQ(try((struct net_flow){ .local = net_addr_v4(1, 2, 3, 4), .remote = six }),
		 -EXO_E_ARG);
	CHECK_EQ(try((struct net_flow){ .ethertype = NET_ETHERTYPE_ARP, .local = six }),
		 -EXO_E_ARG);
	CHECK_EQ(try((struct net_flow){ .family = 5, .protocol = NET_TCP }), -EXO_E_ARG);
	CHECK_EQ(try((struct net_flow){ .family = 6, .protocol = NET_ICMP, .echo = 1 }),
		 -EXO_E_ARG);
}

static void words(struct net_flow flow, const uint8_t *mac, const char *receive, const char *send)
{
	struct exo_nic_spec s = spec_of(flow, mac);
	char text[200];

	CHECK_STR(net_pattern_text(&s.receive, false, text, sizeof text), receive);
	CHECK_STR(net_pattern_text(&s.send, true, text, sizeof text), send);
}

TEST(in_words)
{
	struct net_addr six = { 6, { 0xfe, 0x80, [15] = 1 } };
	struct net_flow f = port80();

	words(f, own_mac, "tcp to 10.0.2.15:80",
	      "tcp from 10.0.2.15:80 by 52:54:00:12:34:56");
	f.remote = net_addr_v4(1, 2, 3, 4);
	f.remote_port = 9;
	words(f, NULL, "tcp from 1.2.3.4:9 to 10.0.2.15:80", "tcp from 10.0.2.15:80 to 1.2.3.4:9");
	words((struct net_flow){ .protocol = NET_UDP, .local_port = 68 }, NULL, "udp to port 68",
	      "udp from port 68");
	words((struct net_flow){ .protocol = NET_TCP, .local = six, .local_port = 80 }, NULL,
	      "tcp6 to [fe80::1]:80", "tcp6 from [fe80::1]:80");
	words((struct net_flow){ .protocol = NET_ICMP, .echo = 7,
				 .local = net_addr_v4(10, 0, 2, 15) }, NULL,
	      "icmp echo replies with id 7 to 10.0.2.15",
	      "icmp echo requests with id 7 from 10.0.2.15");
	words((struct net_flow){ .ethertype = NET_ETHERTYPE_ARP }, NULL, "arp", "arp");
	words((struct net_flow){ .ethertype = 0x88cc }, NULL, "ethertype 0x88cc",
	      "ethertype 0x88cc");
	words((struct net_flow){ .family = 4 }, NULL, "ip", "ip");
	words((struct net_flow){ .protocol = 0 }, NULL, "all packets", "all packets");
	words((struct net_flow){ .protocol = NET_UDP, .local_port = 1024, .local_mask = 0xfc00 },
	      NULL, "udp to port 1024/0xfc00", "udp from port 1024/0xfc00");
}

TEST(what_is_not_known_is_shown_as_bytes)
{
	struct exo_nic_spec s = spec_of(port80(), NULL);
	uint8_t value = 5, mask = 0x0f;
	char text[200], small[12];

	net_pattern_set(&s.receive, 100, 1, &value, &mask);
	CHECK_STR(net_pattern_text(&s.receive, false, text, sizeof text),
		  "tcp to 10.0.2.15:80 byte 100 = 05/0f");
	CHECK_STR(net_pattern_text(&s.receive, false, small, sizeof small), "tcp to 10.0");
	/* Outside the header: not named. */
	net_pattern_set(&s.receive, 127, 2, text, NULL);
	CHECK_STR(net_pattern_text(&s.receive, false, text, sizeof text),
		  "tcp to 10.0.2.15:80 byte 100 = 05/0f");
}

TEST_MAIN
