/* SPDX-License-Identifier: MIT */
/*
 * base_format_test.c - base/format.h against the host's snprintf, and number reading.
 */
// sources: exo/base/format.c
#include <base/format.h>
#include <limits.h>
#include <stdlib.h>
#include "test.h"

/* Both functions must give the same text and the same length, also into a short buffer. */
#define SAME(...) \
	do { \
		char a[128], b[128]; \
		int la = snprintf(a, sizeof(a), __VA_ARGS__); \
		int lb = format_buffer(b, sizeof(b), __VA_ARGS__); \
		CHECK_STR(b, a); \
		CHECK_EQ(lb, la); \
		lb = format_buffer(b, 4, __VA_ARGS__); \
		CHECK_EQ(lb, la); \
		CHECK(strlen(b) == (la < 3 ? (size_t)la : 3) && !strncmp(a, b, strlen(b))); \
	} while (0)

TEST(plain_text_and_percent)
{
	SAME("%s", "");
	SAME("100%% of %s", "it");
	SAME("%c%c%c", 'a', ' ', 'z');
}

TEST(signed_numbers)
{
	static const int values[] = { 0, 1, -1, 9, 10, 12345, INT_MAX, INT_MIN };

	for (size_t i = 0; i < 8; i++) {
		int v = values[i];

		SAME("%d", v);
		SAME("%i|%5d|%-5d|%05d|%+d|% d", v, v, v, v, v, v);
		SAME("%.3d|%8.3d|%-8.3d|", v, v, v);
		SAME("%*d|%-*d|%.*d", 7, v, 7, v, 4, v);
		SAME("%hhd %hd", (signed char)v, (short)v);
	}
}

TEST(unsigned_numbers)
{
	static const unsigned values[] = { 0, 1, 0xf, 0x10, 255, 0xdeadbeef, UINT_MAX };

	for (size_t i = 0; i < 7; i++) {
		unsigned v = values[i];

		SAME("%u %x %X %o", v, v, v, v);
		SAME("%#x %#X %#o", v, v, v);
		SAME("%08x|%#010x|%-10x|%10u", v, v, v, v);
		SAME("%hhu %hu", (unsigned char)v, (unsigned short)v);
	}
}

TEST(long_numbers)
{
	SAME("%ld %ld", LONG_MAX, LONG_MIN);
	SAME("%lu %lx", ULONG_MAX, ULONG_MAX);
	SAME("%lld %llu", LLONG_MIN, ULLONG_MAX);
	SAME("%zu %zx", (size_t)-1, (size_t)4096);
	SAME("%lo", ULONG_MAX);
}

TEST(strings)
{
	SAME("%s|%10s|%-10s|%.2s|%10.2s|%-10.2s|", "word", "word", "word", "word", "word", "word");
	SAME("%.*s|%.0s|", 3, "word", "word");
	SAME("%5c|%-5c|", 'x', 'x');
}

TEST(string_with_precision_needs_no_end)
{
	char raw[3] = { 'a', 'b', 'c' }, out[8];

	CHECK_EQ(format_buffer(out, sizeof(out), "%.3s", raw), 3);
	CHECK_STR(out, "abc");
}

TEST(pointers)
{
	SAME("%p", (void *)0x1234abcd);
	SAME("%p", (void *)~0ul);
}

TEST(no_room_at_all)
{
	char out[2] = "x";

	CHECK_EQ(format_buffer(out, 0, "%d", 123), 3);
	CHECK_STR(out, "x");
	CHECK_EQ(format_buffer(out, 1, "%d", 123), 3);
	CHECK_STR(out, "");
	CHECK_EQ(format_buffer(NULL, 0, "%s", "word"), 4);
}

struct collected { char text[64]; size_t bytes; };

static void collect(void *context, const char *text, size_t bytes)
{
	struct collected *c = context;

	if (bytes <= sizeof(c->text) - c->bytes)
		memcpy(c->text + c->bytes, text, bytes);
	c->bytes += bytes;
}

static size_t to_sink(struct collected *c, const char *format, ...)
{
	va_list args;
	size_t n;

	va_start(args, format);
	n = format_to(collect, c, format, args);
	va_end(args);
	return n;
}

TEST(sink_gets_all_pieces)
{
	struct collected c = { .bytes = 0 };

	CHECK_EQ(to_sink(&c, "%s=%d;%5x", "key", -7, 0xabu), 12);
	CHECK_EQ(c.bytes, 12);
	CHECK(!memcmp(c.text, "key=-7;   ab", 12));
}

static int reads(const char *text, uint64_t expected, const char *rest)
{
	const char *end = NULL;
	uint64_t value = ~expected;

	return parse_u64(text, &end, &value) == 0 && value == expected && end && !strcmp(end, rest);
}

TEST(numbers_are_read)
{
	CHECK(reads("0", 0, ""));
	CHECK(reads("123abc", 123, "abc"));
	CHECK(reads("0x1F rest", 0x1f, " rest"));
	CHECK(reads("18446744073709551615", ULONG_MAX, ""));
	CHECK(reads("0xffffffffffffffff", ULONG_MAX, ""));
}

TEST(no_number_or_too_large_is_refused)
{
	static const char *bad[] = { "", "x", "-1", "+1", " 1", "0x", "0xg", "18446744073709551616",
				     "0x10000000000000000", "99999999999999999999999" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *end;
		uint64_t value;

		if (parse_u64(bad[i], &end, &value) != -1)
			test_fail("\"%s\" was read as %llu", bad[i], (unsigned long long)value);
	}
}

TEST_MAIN
