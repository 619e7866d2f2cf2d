/* SPDX-License-Identifier: MIT */
/*
 * base_string_test.c - base/string.h against the host's C library, over sizes and alignments.
 *
 * The product's functions are compiled under the names t_*, so that both exist here.
 */
// sources: exo/base/string.c
// flags: -fno-builtin -Dmemcpy=t_memcpy -Dmemmove=t_memmove -Dmemset=t_memset -Dmemcmp=t_memcmp
// flags: -Dmemchr=t_memchr -Dstrlen=t_strlen -Dstrnlen=t_strnlen -Dstrcmp=t_strcmp
// flags: -Dstrncmp=t_strncmp -Dstrchr=t_strchr -Dstrrchr=t_strrchr
#include <base/string.h>

/* From here on the names mean the C library's. */
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#include <stdlib.h>
#include "test.h"

#define SIZES 300
#define AREA  1024

static unsigned char expected[AREA], actual[AREA];

static int sign(int v) { return (v > 0) - (v < 0); }

static void fill(unsigned seed)
{
	srand(seed);
	for (size_t i = 0; i < AREA; i++)
		expected[i] = actual[i] = (unsigned char)rand();
}

TEST(memcpy_all_sizes_and_alignments)
{
	for (size_t bytes = 0; bytes < SIZES; bytes++)
		for (size_t at = 0; at < 9; at++) {
			fill((unsigned)bytes);
			memcpy(expected + at, expected + 512 + at / 2, bytes);
			REQUIRE(t_memcpy(actual + at, actual + 512 + at / 2, bytes) == actual + at);
			REQUIRE(!memcmp(expected, actual, AREA));
		}
}

TEST(memmove_overlapping_both_ways)
{
	for (size_t bytes = 0; bytes < SIZES; bytes++)
		for (size_t shift = 0; shift < 20; shift++) {
			fill((unsigned)bytes);
			memmove(expected + 100 + shift, expected + 105, bytes);
			REQUIRE(t_memmove(actual + 100 + shift, actual + 105,
					  bytes) == actual + 100 + shift);
			REQUIRE(!memcmp(expected, actual, AREA));
		}
}

TEST(memset_all_sizes)
{
	for (size_t bytes = 0; bytes < SIZES; bytes++)
		for (size_t at = 0; at < 9; at++) {
			fill((unsigned)bytes);
			memset(expected + at, (int)(bytes + 0x1ff), bytes);
			REQUIRE(t_memset(actual + at, (int)(bytes + 0x1ff), bytes) == actual + at);
			REQUIRE(!memcmp(expected, actual, AREA));
		}
}

TEST(memcmp_compares_unsigned)
{
	CHECK_EQ(sign(t_memcmp("a\x80", "a\x7f", 2)), 1);
	CHECK_EQ(sign(t_memcmp("a\x7f", "a\x80", 2)), -1);
	CHECK_EQ(t_memcmp("abc", "abd", 2), 0);
	CHECK_EQ(t_memcmp("x", "y", 0), 0);
	for (size_t at = 0; at < 64; at++) {
		fill((unsigned)at);
		actual[at] ^= 1;
		CHECK_EQ(sign(t_memcmp(expected, actual, 64)), sign(memcmp(expected, actual, 64)));
		CHECK_EQ(t_memcmp(expected, actual, at), 0);
	}
}

TEST(memchr_finds_first_within_bounds)
{
	static const char text[] = "abcabc\xff";

	CHECK(t_memchr(text, 'c', 7) == text + 2);
	CHECK(t_memchr(text, 0xff, 7) == text + 6);
	CHECK(t_memchr(text, 'b' + 256, 7) == text + 1);
	CHECK(t_memchr(text, 0xff, 6) == NULL);
	CHECK(t_memchr(text, 'a', 0) == NULL);
}

TEST(lengths)
{
	CHECK_EQ(t_strlen(""), 0);
	CHECK_EQ(t_strlen("four"), 4);
	CHECK_EQ(t_strnlen("four", 10), 4);
	CHECK_EQ(t_strnlen("four", 4), 4);
	CHECK_EQ(t_strnlen("four", 3), 3);
	CHECK_EQ(t_strnlen(NULL, 0), 0);
}

TEST(string_order)
{
	static const char *words[] = { "", "a", "ab", "abc", "b", "\x80", "\xff" };

	for (size_t i = 0; i < 7; i++)
		for (size_t j = 0; j < 7; j++) {
			CHECK_EQ(sign(t_strcmp(words[i], words[j])),
				 sign(strcmp(words[i], words[j])));
			for (size_t n = 0; n < 4; n++)
				CHECK_EQ(sign(t_strncmp(words[i], words[j], n)),
					 sign(strncmp(words[i], words[j], n)));
		}
}

TEST(string_search)
{
	static const char text[] = "a/b/c";

	CHECK(t_strchr(text, '/') == text + 1);
	CHECK(t_strrchr(text, '/') == text + 3);
	CHECK(t_strchr(text, 0) == text + 5);
	CHECK(t_strrchr(text, 0) == text + 5);
	CHECK(t_strchr(text, 'x') == NULL);
	CHECK(t_strrchr(text, 'x') == NULL);
}

TEST(string_copy_always_ends)
{
	char small[4] = "???";

	CHECK_EQ(string_copy(small, "abcdef", sizeof(small)), 6);
	CHECK_STR(small, "abc");
	CHECK_EQ(string_copy(small, "x", sizeof(small)), 1);
	CHECK_STR(small, "x");
	CHECK_EQ(string_copy(small, "yy", 0), 2);
	CHECK_STR(small, "x");
	CHECK_EQ(string_copy(small, "", 1), 0);
	CHECK_STR(small, "");
}

TEST_MAIN
