/* SPDX-License-Identifier: MIT */
/*
 * base_hash_test.c - base/hash.h: values of the algorithm's author, and every length to 300 against
 * the library's own streaming functions.
 */
// sources: exo/base/hash.c
#include <base/hash.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "test.h"

TEST(known_values)
{
	CHECK(hash_xxh64(NULL, 0) == 0xef46db3751d8e999);
	CHECK(hash_xxh64("a", 1) == 0xd24ec4f1a98c6e5b);
	CHECK(hash_xxh64("abc", 3) == 0x44bc2cf5ad770999);
	CHECK(hash_xxh64("Nobody inspects the spammish repetition", 39) == 0xfbcea83c8a378bf1);
}

TEST(every_length_and_alignment)
{
	static unsigned char data[400];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 167 + i / 7);
	for (size_t at = 0; at < 9; at++)
		for (size_t bytes = 0; bytes < 300; bytes++) {
			XXH64_state_t state;

			XXH64_reset(&state, 0);
			XXH64_update(&state, data + at, bytes / 3);
			XXH64_update(&state, data + at + bytes / 3, bytes - bytes / 3);
			REQUIRE(hash_xxh64(data + at, bytes) == XXH64_digest(&state));
		}
}

TEST_MAIN
