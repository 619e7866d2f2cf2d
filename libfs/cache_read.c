/* SPDX-License-Identifier: MIT */
/*
 * cache_read.c - getting blocks through the cache: alone, in batches, ahead of time.
 *
 * Invariant: when a get returns, no buffer it handled is in flight; only prefetches stay there,
 * and those are in cache->flight.
 */
#include <base/util.h>
#include <libfs/errors.h>

#include "cache_internal.h"

bool cache_wait(struct fs_cache *cache)
{
	struct fs_device *d = cache->device;

	bool good;

	if (cache->flights == 0 || !d->ops->poll)
		return false;
	good = d->ops->poll(d, true) >= 0;
	cache_enter(cache);
	cache_settle_flights(cache);
	cache_leave(cache);
	return good;
}

/* Take a buffer and lend it, waiting for prefetches when only they stand in the way. */
static struct fs_buffer *read_take(struct fs_cache *cache, uint64_t block)
{
	struct fs_buffer *b;

	do {
		cache_enter(cache);
		b = cache_take(cache, block);
		if (b)
			b->refs++;
		cache_leave(cache);
	} while (!b && cache_wait(cache));
	return b;
}

/* Lend the buffer of a block if there is one. */
static struct fs_buffer *read_hit(struct fs_cache *cache, uint64_t block)
{
	struct fs_buffer *b;

	cache_enter(cache);
	b = cache_find(cache, block);
	if (b) {
		cache->stats.hits++;
		cache->evict->used(cache, b);
		b->refs++;
	}
	cache_leave(cache);
	return b;
}

struct batch {
	struct fs_request *request[FS_CACHE_BATCH];
	size_t n;
};

/* Lend the buffer of a block; if it must be read first, add it to the batch. */
static int read_lend(struct fs_cache *cache, uint64_t block, struct batch *batch,
		     struct fs_buffer **out)
{
	struct fs_buffer *b;

	if (block >= cache->blocks)
		return -EXO_E_RANGE;
	b = read_hit(cache, block);
	if (!b) {
		b = read_take(cache, block);
		if (!b)
			return -FS_E_NOBUF;
		cache->stats.misses++;
		batch->request[batch->n++] = &b->request;
	}
	*out = b;
	return 0;
}

/* One submission for the batch. */
static void read_run(struct fs_cache *cache, struct batch *batch)
{
	if (batch->n == 0)
		return;
	cache->stats.reads += batch->n;
	cache->stats.batches++;
	cache->device->ops->run(cache->device, batch->request, batch->n);
	for (size_t i = 0; i < batch->n; i++)
		if (batch->request[i]->status == FS_PENDING)
			batch->request[i]->status = -FS_E_IO;
}

/* Wait until a lent buffer is settled: 0, or why its block could not be read. */
static int read_finish(struct fs_cache *cache, struct fs_buffer *buffer)
{
	cache_enter(cache);
	cache_settle(cache, buffer);
	cache_leave(cache);
	while (buffer->state == FS_BUFFER_FLIGHT)
		if (!cache_wait(cache) && buffer->state == FS_BUFFER_FLIGHT)
			return -FS_E_IO;
	return buffer->state == FS_BUFFER_VALID ? 0 : buffer->request.status;
}

int fs_cache_get_batch(struct fs_cache *cache, const uint64_t *block, size_t n,
		       struct fs_buffer **out)
{
	struct batch batch;
	size_t got, good = 0;
	int err = 0;

	batch.n = 0;
	if (n == 0 || n > FS_CACHE_BATCH)
		return -EXO_E_ARG;
	for (got = 0; got < n; got++) {
		err = read_lend(cache, block[got], &batch, &out[got]);
		if (err < 0)
			break;
	}
	read_run(cache, &batch);
	/* All must be finished, also those behind one that failed: none may stay in flight. */
	for (size_t i = 0; i < got; i++) {
		int failed = read_finish(cache, out[i]);

		if (failed == 0 && good == i)
			good = i + 1;
		else if (good == i)
			err = failed;
	}
	for (size_t i = good; i < got; i++)
		fs_cache_put(cache, out[i]);
	return good ? (int)good : err;
}

int fs_cache_get(struct fs_cache *cache, uint64_t block, struct fs_buffer **out)
{
	struct fs_buffer *b;
	bool valid;
	int got;

	cache_enter(cache);
	b = block < cache->blocks ? cache_find(cache, block) : NULL;
	valid = b && b->state == FS_BUFFER_VALID;
	if (valid) {
		cache->stats.hits++;
		cache->evict->used(cache, b);
		b->refs++;
		*out = b;
	}
	cache_leave(cache);
	if (valid)
		return 0;
	got = fs_cache_get_batch(cache, &block, 1, out);
	return got < 0 ? got : 0;
}

void fs_cache_put(struct fs_cache *cache, struct fs_buffer *buffer)
{
	(void)cache;
	buffer->refs--;
}

/* Prefetches that may be in flight: a quarter of a small cache, so that gets find buffers. */
static uint32_t prefetch_room(const struct fs_cache *cache)
{
	uint32_t most = (uint32_t)min_u64(FS_CACHE_FLIGHTS, cache->count / 4);

	return cache->flights < most ? most - cache->flights : 0;
}

/* Take buffers for those blocks that are in none. */
static void prefetch_take(struct fs_cache *cache, const uint64_t *block, size_t n,
			  struct batch *batch, struct fs_buffer **taken)
{
	size_t room;

	cache_settle_flights(cache);
	room = min_u64(prefetch_room(cache), FS_CACHE_BATCH);
	for (size_t i = 0; i < n && batch->n < room; i++) {
		if (block[i] >= cache->blocks || cache_find(cache, block[i]))
			continue;
		taken[batch->n] = cache_take(cache, block[i]);
		if (!taken[batch->n])
			break;
		batch->request[batch->n] = &taken[batch->n]->request;
		batch->n++;
	}
}

/* The first `sent` of them are in flight now; the others hold nothing. */
static void prefetch_sent(struct fs_cache *cache, struct batch *batch, struct fs_buffer **taken,
			  size_t sent)
{
	cache->stats.reads += sent;
	cache->stats.prefetched += sent;
	cache->stats.batches += sent > 0;
	for (size_t i = 0; i < batch->n; i++) {
		if (i < sent)
			cache->flight[cache->flights++] = taken[i];
		else
			cache_empty(cache, taken[i]);
	}
	cache_settle_flights(cache);
}

void fs_cache_prefetch(struct fs_cache *cache, const uint64_t *block, size_t n)
{
	struct fs_device *d = cache->device;
	struct fs_buffer *taken[FS_CACHE_BATCH];
	struct batch batch;
	size_t sent;

	batch.n = 0;
	if (!d->ops->submit)
		return;
	cache_enter(cache);
	prefetch_take(cache, block, n, &batch, taken);
	cache_leave(cache);
	if (batch.n == 0)
		return;
	sent = min_u64(d->ops->submit(d, batch.request, batch.n), batch.n);
	cache_enter(cache);
	prefetch_sent(cache, &batch, taken, sent);
	cache_leave(cache);
}
