/* SPDX-License-Identifier: MIT */
/*
 * cache_internal.h - between the cache's bookkeeping (cache.c) and its reading (cache_read.c).
 */
#ifndef LIBFS_CACHE_INTERNAL_H
#define LIBFS_CACHE_INTERNAL_H

#include <libfs/cache.h>

static inline struct fs_buffer **cache_bucket(struct fs_cache *cache, uint64_t block)
{
	uint64_t hash = block * 0x9e3779b97f4a7c15ul;   /* Fibonacci hashing: 2^64 / golden ratio */

	return &cache->bucket[(hash >> 32) & (cache->buckets - 1)];
}

/* The buffer of a block, or NULL. */
static inline struct fs_buffer *cache_find(struct fs_cache *cache, uint64_t block)
{
	struct fs_buffer *b = *cache_bucket(cache, block);

	while (b && b->block != block)
		b = b->next;
	return b;
}

/*
 * Take a buffer for a block that is in none: in the table, in flight, its request filled in, not
 * lent.  NULL when all are lent or in flight.
 */
struct fs_buffer *cache_take(struct fs_cache *cache, uint64_t block);

/* Take a buffer out of its chain: it holds no block any more. */
void cache_empty(struct fs_cache *cache, struct fs_buffer *buffer);

/* A buffer in flight whose request is complete becomes valid, or empty after an error. */
void cache_settle(struct fs_cache *cache, struct fs_buffer *buffer);

/* Settle all prefetches that are complete. */
void cache_settle_flights(struct fs_cache *cache);

/* Block until a prefetch completes; false if none is in flight or the device gave up. */
bool cache_wait(struct fs_cache *cache);

#endif
