/* SPDX-License-Identifier: MIT */
/*
 * netcfg_conf_test.c - the text file net.conf.
 */
// sources: services/netcfg/conf.c libnet/address.c exo/base/format.c exo/base/string.c
// includes: services/netcfg libnet/include
#include "conf.h"

#include <stdlib.h>

#include "test.h"

static char why[160];

/* Parse a copy that ends where the text does, so that the sanitizer sees every byte too many. */
static int parse(const char *text, size_t bytes, struct conf *out)
{
	char *copy = malloc(bytes ? bytes : 1);
	int result;

	memcpy(copy, text, bytes);
	why[0] = '\0';
	result = conf_parse(copy, bytes, out, why, sizeof(why));
	free(copy);
	return result;
}

static const char *refused(const char *text)
{
	static const struct conf none;
	struct conf c;

	if (parse(text, strlen(text), &c) == 0)
		return "it was taken";
	return memcmp(&c, &none, sizeof(c)) == 0 ? why : "something of it was taken";
}

TEST(a_whole_file_is_read)
{
	static const char text[] =
		"# the office\n"
		"\n"
		"address 10.0.2.15/24   # ours\r\n"
		"\taddress  fec0::15/64\n"
		"gateway 10.0.2.2\n"
		"dns 10.0.2.3\n"
		"dns fec0::3";
	static const uint8_t ip[4] = { 10, 0, 2, 15 }, router[4] = { 10, 0, 2, 2 };
	struct conf c;

	REQUIRE(parse(text, strlen(text), &c) == 0);
	CHECK_EQ(c.ipv4.addr.family, 4);
	CHECK_EQ(c.ipv4.prefix, 24);
	CHECK(memcmp(c.ipv4.addr.byte, ip, 4) == 0);
	CHECK_EQ(c.ipv6s, 1);
	CHECK_EQ(c.ipv6[0].prefix, 64);
	CHECK_EQ(c.ipv6[0].addr.byte[0], 0xfe);
	CHECK_EQ(c.ipv6[0].addr.byte[15], 0x15);
	CHECK(memcmp(c.gateway.byte, router, 4) == 0);
	CHECK_EQ(c.dnses, 2);
	CHECK_EQ(c.dns[0].family, 4);
	CHECK_EQ(c.dns[1].family, 6);
}

TEST(an_empty_file_says_nothing)
{
	struct conf c;

	CHECK_EQ(parse("", 0, &c), 0);
	CHECK_EQ(c.ipv4.addr.family, 0);
	CHECK_EQ(parse("\n # only words\n\n", 16, &c), 0);
	CHECK_EQ(c.ipv6s + c.dnses, 0);
}

TEST(a_name_server_alone_is_allowed)
{
	struct conf c;

	CHECK_EQ(parse("dns 9.9.9.9\n", 12, &c), 0);
	CHECK_EQ(c.dnses, 1);
	CHECK_EQ(c.ipv4.addr.family, 0);
}

TEST(refusals_name_line_and_reason)
{
	CHECK_STR(refused("\nadress 1.2.3.4/8\n"),
		  "line 2: adress is unknown; known are address, gateway and dns");
	CHECK_STR(refused("address"), "line 1: address is not followed by an address");
	CHECK_STR(refused("address 10.0.2.15"),
		  "line 1: 10.0.2.15 has no prefix length; write 10.0.2.15/24 if its network has "
		  "one of 24 bits");
	CHECK_STR(refused("address 10.0.2.15/33"),
		  "line 1: in 10.0.2.15/33 the prefix length is not a number from 1 to 32");
	CHECK_STR(refused("address 10.0.2.15/0"),
		  "line 1: in 10.0.2.15/0 the prefix length is not a number from 1 to 32");
	CHECK_STR(refused("address 10.0.2.15/"),
		  "line 1: in 10.0.2.15/ the prefix length is not a number from 1 to 32");
	CHECK_STR(refused("address fec0::1/129"),
		  "line 1: in fec0::1/129 the prefix length is not a number from 1 to 128");
	CHECK_STR(refused("address 10.0.2.256/24"),
		  "line 1: 10.0.2.256/24 is not an IPv4 or IPv6 address");
	CHECK_STR(refused("address 10.0.2.255/24"),
		  "line 1: 10.0.2.255/24 is the network itself or its broadcast, not a host");
	CHECK_STR(refused("address 10.0.2.0/24"),
		  "line 1: 10.0.2.0/24 is the network itself or its broadcast, not a host");
	CHECK_STR(refused("address 224.0.0.1/4"),
		  "line 1: 224.0.0.1/4 is not the address of one host");
	CHECK_STR(refused("address ff02::1/64"),
		  "line 1: ff02::1/64 is not the address of one host");
	CHECK_STR(refused("address ::1/64"), "line 1: ::1/64 is not the address of one host");
	CHECK_STR(refused("gateway 127.0.0.1"), "line 1: 127.0.0.1 is not the address of one host");
	CHECK_STR(refused("gateway 10.0.2.2 10.0.2.3"),
		  "line 1: 10.0.2.3 is too much: one address a line");
}

TEST(refusals_of_what_is_too_much)
{
	CHECK_STR(refused("address 10.0.0.1/8\naddress 10.0.0.2/8"),
		  "line 2: 10.0.0.2/8 is one IPv4 address too many; there may be 1");
	CHECK_STR(refused("address fec0::1/64\naddress fec0::2/64\naddress fec0::3/64"),
		  "line 3: fec0::3/64 is one IPv6 address too many; there may be 2");
	CHECK_STR(refused("dns 1.1.1.1\ndns 1.1.1.2\ndns 1.1.1.3\ndns 1.1.1.4\ndns 1.1.1.5"),
		  "line 5: 1.1.1.5 is one name server too many; there may be 4");
	CHECK_STR(refused("address 10.0.2.15/24\ngateway 10.0.2.2\ngateway 10.0.2.3\n"),
		  "line 3: 10.0.2.3 is a second gateway; there may be one");
}

TEST(a_gateway_must_be_near)
{
	struct conf c;

	CHECK_STR(refused("gateway 10.0.2.2\n\n"),
		  "line 1: the gateway needs an IPv4 address line beside it");
	CHECK_STR(refused("# x\ngateway 10.0.3.2\naddress 10.0.2.15/24\n"),
		  "line 2: the gateway is outside the network of the IPv4 address");
	CHECK_STR(refused("address 10.0.2.15/24\ngateway 10.0.2.15\n"),
		  "line 2: the gateway has this machine's own address");
	CHECK_STR(refused("gateway fe80::1"), "line 1: fe80::1: only an IPv4 gateway can be set; "
		  "IPv6 routers announce themselves");
	CHECK_EQ(parse("address 10.0.2.15/22\ngateway 10.0.3.2\n", 38, &c), 0);
}

TEST(bytes_from_outside_are_not_repeated)
{
	struct conf c;

	CHECK_STR(refused("\x1b[2Jx 1"),
		  "line 1: ?[2Jx is unknown; known are address, gateway and dns");
	CHECK_STR(refused("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeffff 1"),
		  "line 1: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeee... is unknown; "
		  "known are address, gateway and dns");
	CHECK_EQ(parse("dns 1.1.1.1\n\0", 13, &c), -1);
	CHECK_STR(why, "line 2: it holds a NUL byte: this is no text");
}

TEST(a_long_file_is_refused)
{
	char *text = malloc(CONF_BYTES + 1);
	struct conf c;

	memset(text, '\n', CONF_BYTES + 1);
	CHECK_EQ(parse(text, CONF_BYTES, &c), 0);
	CHECK_EQ(parse(text, CONF_BYTES + 1, &c), -1);
	CHECK_STR(why, "line 1: the file is longer than 65536 bytes");
	free(text);
}

TEST(addresses_that_are_none)
{
	static const char *const bad[] = {
		"1.2.3/8", "1.2.3.4.5/8", "1.2.3.256/8", "x1.2.3.4/8", "1.2.3.4x/8",
		"1:2/64", "1::2::3/64", "12345::/64", "fe80::1%1/64", "/8", ":/64", "::1:/64",
		"11112222333344445555666677778888999900001111222233334444/64",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char line[128];

		snprintf(line, sizeof(line), "address %s", bad[i]);
		if (!strstr(refused(line), "is not an IPv4 or IPv6 address"))
			test_fail("%s: %s", bad[i], refused(line));
	}
}

/* Random lines made of likely pieces: the sanitizers watch, and a refusal has a line number. */
TEST(random_text)
{
	static const char *const piece[] = {
		"address ", "gateway ", "dns ", "10.0.2.15", "/24", "/", "fec0::15", "::", "\n",
		"#", " ", "\r", "\t", ".", ":", "1", "255", "x", "\n", "fe80::1", "10.0.2.2",
	};
	unsigned seed = 1;

	for (int round = 0; round < 200000; round++) {
		char text[256];
		size_t bytes = 0;
		struct conf c;

		for (int n = 0; n < 12; n++) {
			const char *p;

			seed = seed * 1103515245u + 12345;
			p = piece[(seed >> 16) % (sizeof(piece) / sizeof(*piece))];
			memcpy(text + bytes, p, strlen(p));
			bytes += strlen(p);
		}
		if (parse(text, bytes, &c) < 0 && strncmp(why, "line ", 5) != 0)
			test_fail("refused with: %s", why);
		if (c.ipv6s > CONF_IPV6 || c.dnses > CONF_DNS)
			test_fail("more than there is room for");
	}
}

TEST_MAIN
