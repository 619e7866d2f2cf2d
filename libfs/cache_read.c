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

struct fs_buffer *fs_cache_have(struct fs_cache *cache, uint64_t block)
{
	struct fs_buffer *b;

	cache_enter(cache);
	b = cache_find(cache, block);
	if (b && b->state == FS_BUFFER_VALID) {
		b->refs++;
		cache->stats.hits++;
		cache->evict->used(cache, b);
	} else {
		b = NULL;
	}
	cache_leave(cache);
	return b;
}

int fs_cache_get(struct fs_cache *cache, uint64_t block, struct fs_buffer **out)
{
	int got;

	*out = fs_cache_have(cache, block);
	if (*out)
		return 0;
	got = fs_cache_get_batch(cache, &block, 1, out);
	return got < 0 ? got : 0;
}

/* Prefetches that may be in flight: a quarter of a small cache, so that gets find buffers. */
static uint32_t prefetch_room(const struct fs_cache *cache)
{
	uint32_t most = (uint32_t)min_u64(FS_CACHE_FLIGHTS, cache->count / 4);

	return cache->flights < most ? most - cache->flights : 0;
}

/* What is to be read ahead: the requests, and which block each is for. */
struct ahead {
	struct batch batch;
	struct fs_buffer *taken[FS_CACHE_BATCH];
	size_t of[FS_CACHE_BATCH];
};

/* Take buffers for the blocks that are not there, as far as there is room: how far that is. */
static size_t ahead_take(struct fs_cache *cache, const uint64_t *block, size_t n,
			 struct ahead *a)
{
	size_t i, room = min_u64(prefetch_room(cache), FS_CACHE_BATCH);

	a->batch.n = 0;
	for (i = 0; i < n; i++) {
		struct fs_buffer *b;

		if (block[i] >= cache->blocks || cache_find(cache, block[i]))
			continue;
		b = a->batch.n < room ? cache_take(cache, block[i]) : NULL;
		if (!b)
			break;
		a->taken[a->batch.n] = b;
		a->of[a->batch.n] = i;
		a->batch.request[a->batch.n++] = &b->request;
	}
	return i;
}

/* Submit them; what the device does not accept is undone.  How many it did. */
static size_t ahead_submit(struct fs_cache *cache, struct ahead *a)
{
	struct fs_device *d = cache->device;
	size_t n = a->batch.n, sent = min_u64(d->ops->submit(d, a->batch.request, n), n);

	cache_enter(cache);
	cache->stats.reads += sent;
	cache->stats.prefetched += sent;
	cache->stats.batches += sent > 0;
	for (size_t i = 0; i < n; i++) {
		if (i < sent)
			cache->flight[cache->flights++] = a->taken[i];
		else
			cache_empty(cache, a->taken[i]);
	}
	cache_settle_flights(cache);
	cache_leave(cache);
	return sent;
}

size_t fs_cache_prefetch(struct fs_cache *cache, const uint64_t *block, size_t n)
{
	struct ahead a;
	size_t heeded, sent;

	if (!cache->device->ops->submit)
		return 0;
	cache_enter(cache);
	cache_settle_flights(cache);
	heeded = ahead_take(cache, block, n, &a);
	cache_leave(cache);
	if (a.batch.n == 0)
		return heeded;
	sent = ahead_submit(cache, &a);
	return sent < a.batch.n ? a.of[sent] : heeded;
}
