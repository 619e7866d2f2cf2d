/* SPDX-License-Identifier: MIT */
/*
 * libnet_address_test.c - addresses as text and back; DNS messages, hostile ones too.
 */
// sources: libnet/address.c libnet/dns_message.c exo/base/format.c
// includes: libnet/include libnet
#include "test.h"

#include <stdlib.h>

#include <dns_message.h>
#include <net/address.h>
#include <net/error.h>

size_t string_copy(char *dst, const char *src, size_t bytes);
size_t string_copy(char *dst, const char *src, size_t bytes)
{
	return (size_t)snprintf(dst, bytes, "%s", src);
}

static void there_and_back(const char *text, const char *want)
{
	struct net_addr a;
	char out[NET_ADDR_TEXT];

	if (net_addr_parse(text, NULL, &a) < 0)
		test_fail("\"%s\" was refused", text);
	else
		CHECK_STR(net_addr_text(&a, out), want);
}

TEST(addresses_as_text)
{
	there_and_back("10.0.2.15", "10.0.2.15");
	there_and_back("255.255.255.255", "255.255.255.255");
	there_and_back("::", "::");
	there_and_back("::1", "::1");
	there_and_back("1::", "1::");
	there_and_back("fec0::0015", "fec0::15");
	there_and_back("FE80:0:0:0:1:0:0:2", "fe80::1:0:0:2");
	there_and_back("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8");
	there_and_back("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
	there_and_back("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8");
	there_and_back("1:0:0:4:0:0:0:8", "1:0:0:4::8");
	there_and_back("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST(no_addresses)
{
	static const char *const bad[] = {
		"", ".", "1.2.3", "1.2.3.", "1.2.3.4.5", "1.2.3.256", "1.2.3.0001", "1..3.4",
		" 1.2.3.4", "1.2.3.4 ", ":", ":::", "1:2", "1::2::3", "12345::", "1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9", "::1:2:3:4:5:6:7:8", ":1::", "1:", "1:2:3:4:5:6:7:", "g::",
		"10.0.2.15/24", "fe80::1%1",
	};
	struct net_addr a;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (net_addr_parse(bad[i], NULL, &a) == 0)
			test_fail("\"%s\" was taken", bad[i]);
}

TEST(address_at_the_start_of_a_text)
{
	struct net_addr a;
	const char *end;

	CHECK_EQ(net_addr_parse("10.0.2.15/24", &end, &a), 0);
	CHECK_STR(end, "/24");
	CHECK_EQ(net_addr_parse("fe80::/10", &end, &a), 0);
	CHECK_STR(end, "/10");
}

TEST(networks)
{
	struct net_addr a = net_addr_v4(10, 0, 2, 15), b = net_addr_v4(10, 0, 3, 15);
	struct net_addr six = { 6, { 0xfe, 0x80 } };

	CHECK(net_addr_within(&a, &b, 23) && !net_addr_within(&a, &b, 24));
	CHECK(net_addr_within(&a, &b, 0) && net_addr_within(&a, &a, 32));
	CHECK(!net_addr_within(&a, &a, 33) && !net_addr_within(&a, &six, 0));
	CHECK(net_addr_link_local(&six) && !net_addr_link_local(&a));
	CHECK(!net_addr_multicast(&a) && net_addr_multicast(&(struct net_addr){ 4, { 239 } }));
}

/* An answer to `query` with one record of the given type, whose name is a pointer. */
static size_t answer(uint8_t *m, const uint8_t *query, size_t bytes, uint8_t type,
		     const uint8_t *data, uint8_t length)
{
	uint8_t record[] = { 0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, length };

	memcpy(m, query, bytes);
	m[2] = 0x81;
	m[3] = 0x80;
	m[7] = 1;
	memcpy(m + bytes, record, sizeof record);
	memcpy(m + bytes + sizeof record, data, length);
	return bytes + sizeof record + length;
}

TEST(dns_queries_and_answers)
{
	uint8_t q[DNS_QUERY_BYTES], m[600], alias[] = { 1, 'x', 0 }, data[4] = { 10, 1, 2, 3 };
	size_t bytes = dns_query(q, 0x1234, "www.example.", DNS_TYPE_A), length;
	struct net_addr a;

	CHECK_EQ(bytes, 12 + 13 + 4);
	CHECK(memcmp(q + 12, "\3www\7example\0\0\1\0\1", 17) == 0);
	length = answer(m, q, bytes, 1, data, 4);
	CHECK_EQ(dns_answer(m, length, q, bytes, DNS_TYPE_A, &a), 0);
	CHECK(a.family == 4 && memcmp(a.byte, data, 4) == 0);
	/* Behind an alias. */
	length = answer(m, q, bytes, 5, alias, 3);
	m[7] = 2;
	memcpy(m + length, "\1x\0\0\1\0\1\0\0\0\1\0\4\1\2\3\4", 17);
	CHECK_EQ(dns_answer(m, length + 17, q, bytes, DNS_TYPE_A, &a), 0);
	CHECK(a.byte[0] == 1 && a.byte[3] == 4);
	/* Only an alias; no such name; the server failed; another's answer. */
	m[7] = 1;
	CHECK_EQ(dns_answer(m, length, q, bytes, DNS_TYPE_A, &a), -NET_E_NO_NAME);
	m[3] = 0x83;
	CHECK_EQ(dns_answer(m, length, q, bytes, DNS_TYPE_A, &a), -NET_E_NO_NAME);
	m[3] = 0x82;
	CHECK_EQ(dns_answer(m, length, q, bytes, DNS_TYPE_A, &a), -NET_E_DNS_FAILED);
	m[1]++;
	CHECK_EQ(dns_answer(m, length, q, bytes, DNS_TYPE_A, &a), -NET_E_PROTOCOL);
}

TEST(dns_answers_cut_off_anywhere)
{
	uint8_t q[DNS_QUERY_BYTES], m[600], data[16] = { 0xfe, 0x80 };
	size_t bytes = dns_query(q, 7, "a.b", DNS_TYPE_AAAA), length;
	struct net_addr a;

	length = answer(m, q, bytes, 28, data, 16);
	CHECK_EQ(dns_answer(m, length, q, bytes, DNS_TYPE_AAAA, &a), 0);
	for (size_t cut = 0; cut < length; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);

		memcpy(exact, m, cut);
		CHECK_EQ(dns_answer(exact, cut, q, bytes, DNS_TYPE_AAAA, &a), -NET_E_PROTOCOL);
		free(exact);
	}
}

TEST(no_host_names)
{
	uint8_t q[DNS_QUERY_BYTES];
	char name[300];

	CHECK_EQ(dns_query(q, 0, "", 1), 0);
	CHECK_EQ(dns_query(q, 0, ".", 1), 0);
	CHECK_EQ(dns_query(q, 0, "a..b", 1), 0);
	CHECK_EQ(dns_query(q, 0, "a b", 1), 0);
	CHECK_EQ(dns_query(q, 0, ".a", 1), 0);
	memset(name, 'a', sizeof name);
	name[64] = 0;
	CHECK_EQ(dns_query(q, 0, name, 1), 0);
	name[63] = 0;
	CHECK(dns_query(q, 0, name, 1) > 0);
	for (size_t i = 0; i < sizeof name; i++)
		name[i] = i % 2 ? '.' : 'a';
	name[253] = 0;
	CHECK_EQ(dns_query(q, 0, name, 1), 12 + 255 + 4);
	name[253] = '.';
	name[255] = 0;
	CHECK_EQ(dns_query(q, 0, name, 1), 0);
}

TEST_MAIN
