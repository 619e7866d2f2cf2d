/* SPDX-License-Identifier: MIT */
/*
 * hash.c - XXH64 by the xxHash header, made free of libc by the headers in stub/.
 *
 * Nothing that allocates and no vector code is used.
 */
#define XXH_INLINE_ALL
#define XXH_FORCE_MEMORY_ACCESS 1      /* unaligned loads by the compiler, not by memcpy */
#define XXH_VECTOR 0            /* no vector instructions: the kernel's flags forbid them */
#include <xxhash.h>

#include <base/hash.h>

uint64_t hash_xxh64(const void *data, size_t bytes)
{
	return XXH64(data, bytes, 0);
}
