/* SPDX-License-Identifier: MIT */
/*
 * cache_internal.h - between the cache's bookkeeping (cache.c) and its reading (cache_read.c).
 */
#ifndef LIBFS_CACHE_INTERNAL_H
#define LIBFS_CACHE_INTERNAL_H

#include <libfs/cache.h>

/*
 * The lists are being changed between these, and no page is given up; never held while waiting for
 * the device.  What stands below is for who has entered, but cache_wait.
 */
static inline void cache_enter(struct fs_cache *cache)
{
	/* Who holds it is in cache_spare on another thread: that is short. */
	while (__atomic_exchange_n(&cache->busy, 1, __ATOMIC_ACQUIRE))
		continue;
}

static inline void cache_leave(struct fs_cache *cache)
{
	__atomic_store_n(&cache->busy, 0, __ATOMIC_RELEASE);
}

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

/* Let the memory take pages of the cache back; at its start, not entered. */
void cache_lend(struct fs_cache *cache);
/* Make a buffer's page usable, if it was given up; false: there is no memory for it. */
bool cache_present(struct fs_cache *cache, struct fs_buffer *buffer);
/* An empty buffer without memory: not to be chosen until cache_retry; that: are there some? */
void cache_gone(struct fs_cache *cache, struct fs_buffer *buffer);
bool cache_retry(struct fs_cache *cache);

/* Settle all prefetches that are complete. */
void cache_settle_flights(struct fs_cache *cache);

/*
 * Not entered: block until a prefetch completes; false if none is in flight or the device gave up.
 */
bool cache_wait(struct fs_cache *cache);

#endif
