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
void cache_enter(struct fs_cache *cache);
void cache_leave(struct fs_cache *cache);

/* The buffer of a block, or NULL. */
struct fs_buffer *cache_find(struct fs_cache *cache, uint64_t block);

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
