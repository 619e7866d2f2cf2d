/* SPDX-License-Identifier: MIT */
/*
 * hash.h - XXH64, the checksum of the boot archive and of `hash`.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * XXH64 with seed 0 of `bytes` bytes at `data` (data may be NULL if bytes is 0).  As the xxHash
 * specification, "XXH64 algorithm description"; equal to what `xxhsum -H64` prints.
 */
uint64_t hash_xxh64(const void *data, size_t bytes);

#endif
