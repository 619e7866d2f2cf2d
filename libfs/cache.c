/* SPDX-License-Identifier: MIT */
/*
 * cache.c - the buffers of a block cache: where they lie, which block is where, who goes.
 *
 * Invariant: a buffer that is not EMPTY is in the hash chain of its block, and no other is.
 * No device access here (see cache_read.c) but waiting for prefetches at the end.
 */
#include <base/string.h>
#include <base/util.h>
#include <libfs/errors.h>

#include "cache_internal.h"

#define RETRY_MISSES 1024u      /* misses between looks for memory for buffers that have none */

void cache_empty(struct fs_cache *cache, struct fs_buffer *buffer)
{
	struct fs_buffer **link = cache_bucket(cache, buffer->block);

	while (*link != buffer)
		link = &(*link)->next;
	*link = buffer->next;
	buffer->next = NULL;
	buffer->state = FS_BUFFER_EMPTY;
}

void cache_settle(struct fs_cache *cache, struct fs_buffer *buffer)
{
	if (buffer->state != FS_BUFFER_FLIGHT || buffer->request.status == FS_PENDING)
		return;
	if (buffer->request.status < 0) {
		cache->stats.errors++;
		cache_empty(cache, buffer);
		return;
	}
	buffer->state = FS_BUFFER_VALID;
	cache->evict->filled(cache, buffer);
}

void cache_settle_flights(struct fs_cache *cache)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < cache->flights; i++) {
		struct fs_buffer *b = cache->flight[i];

		cache_settle(cache, b);
		if (b->state == FS_BUFFER_FLIGHT)
			cache->flight[kept++] = b;
	}
	cache->flights = kept;
}

/* The policy's choice, if it is one. */
static struct fs_buffer *cache_victim(struct fs_cache *cache)
{
	struct fs_buffer *b = cache->evict->victim(cache);

	if (!b || b < cache->buffer || b >= cache->buffer + cache->count || !fs_buffer_idle(b))
		return NULL;
	return b;
}

/* An empty buffer whose page is there, or NULL. */
static struct fs_buffer *cache_clear(struct fs_cache *cache)
{
	struct fs_buffer *b;
	bool tried;

	if (cache->stats.misses % RETRY_MISSES == 0)
		cache_retry(cache);
	do {
		tried = cache->gone == 0;
		while ((b = cache_victim(cache))) {
			if (b->state == FS_BUFFER_VALID) {
				cache->stats.evicted++;
				cache_empty(cache, b);
			}
			if (cache_present(cache, b))
				return b;
			cache_gone(cache, b);
		}
		/* Those that are gone since earlier: there may be memory again. */
	} while (!tried && cache_retry(cache));
	return NULL;
}

struct fs_buffer *cache_take(struct fs_cache *cache, uint64_t block)
{
	uint32_t factor = cache->block_bytes / cache->device->block_bytes;
	struct fs_buffer *b, **bucket = cache_bucket(cache, block);

	cache_settle_flights(cache);
	b = cache_clear(cache);
	if (!b)
		return NULL;
	b->block = block;
	b->state = FS_BUFFER_FLIGHT;
	b->next = *bucket;
	*bucket = b;
	b->request.block = block * factor;
	b->request.count = factor;
	b->request.status = FS_PENDING;
	return b;
}

static int cache_alloc(struct fs_cache *cache, uint64_t count)
{
	struct fs_memory *m = cache->memory;
	size_t meta;
	int err;

	cache->count = (uint32_t)count;
	for (cache->buckets = 1; cache->buckets < count;)
		cache->buckets *= 2;
	meta = count * sizeof(struct fs_buffer) + cache->buckets * sizeof(struct fs_buffer *);
	cache->meta_pages = round_up(meta, FS_PAGE_BYTES) / FS_PAGE_BYTES;
	cache->data_pages = round_up(count * cache->block_bytes, FS_PAGE_BYTES) / FS_PAGE_BYTES;
	err = m->ops->alloc(m, cache->meta_pages, &cache->meta);
	if (err < 0)
		return err;
	err = m->ops->alloc(m, cache->data_pages, &cache->data);
	if (err < 0)
		m->ops->free(m, cache->meta, cache->meta_pages);
	return err;
}

static void cache_free(struct fs_cache *cache)
{
	struct fs_memory *m = cache->memory;

	m->ops->free(m, cache->data, cache->data_pages);
	m->ops->free(m, cache->meta, cache->meta_pages);
	memset(cache, 0, sizeof *cache);
}

static void cache_lay_out(struct fs_cache *cache)
{
	struct fs_memory *m = cache->memory;
	char *data = cache->data;

	memset(cache->meta, 0, cache->meta_pages * FS_PAGE_BYTES);
	cache->buffer = cache->meta;
	cache->bucket = (struct fs_buffer **)(cache->buffer + cache->count);
	for (uint32_t i = 0; i < cache->count; i++) {
		struct fs_buffer *b = &cache->buffer[i];
		size_t at = (size_t)i * cache->block_bytes;
		const char *page = data + round_down(at, FS_PAGE_BYTES);

		b->data = data + at;
		b->request.data = data + at;
		b->request.op = FS_OP_READ;
		if (m->ops->handle)
			b->request.handle = m->ops->handle(m, page);
	}
}

static bool cache_sizes_good(const struct fs_device *device, uint32_t block_bytes)
{
	uint32_t unit = device->block_bytes;

	if (block_bytes != 1024 && block_bytes != 2048 && block_bytes != 4096)
		return false;
	return unit >= 512 && unit <= block_bytes && (unit & (unit - 1)) == 0;
}

int fs_cache_init(struct fs_cache *cache, struct fs_device *device, struct fs_memory *memory,
		  uint32_t block_bytes, uint64_t bytes, const struct fs_evict_ops *evict)
{
	void *context = cache->evict_context;
	uint64_t count;
	int err;

	if (!cache_sizes_good(device, block_bytes))
		return -EXO_E_ARG;
	memset(cache, 0, sizeof *cache);
	cache->device = device;
	cache->memory = memory;
	cache->evict = evict ? evict : &fs_evict_clock;
	cache->evict_context = context;
	cache->block_bytes = block_bytes;
	cache->blocks = device->blocks / (block_bytes / device->block_bytes);
	count = min_u64(max_u64(bytes / block_bytes, FS_CACHE_LEAST), 1u << 24);
	/* Short memory: a smaller cache is slower, not wrong. */
	while ((err = cache_alloc(cache, count)) < 0 && count > FS_CACHE_LEAST)
		count = max_u64(count / 2, FS_CACHE_LEAST);
	if (err < 0)
		return err;
	cache_lay_out(cache);
	err = cache->evict->init(cache);
	if (err < 0)
		cache_free(cache);
	else
		cache_lend(cache);
	return err < 0 ? err : 0;
}

int fs_cache_end(struct fs_cache *cache)
{
	for (uint32_t i = 0; i < cache->count; i++)
		if (cache->buffer[i].refs)
			return -FS_E_OPEN;
	while (cache_wait(cache))
		;
	/* A device that gave up on a read may yet write to its buffer: keep that memory. */
	if (cache->flights)
		return -EXO_E_DEVICE;
	if (cache->count)
		cache_free(cache);
	return 0;
}

uint32_t fs_cache_forget(struct fs_cache *cache)
{
	uint32_t stayed = 0;

	cache_enter(cache);
	cache_settle_flights(cache);
	cache->epoch++;
	for (uint32_t i = 0; i < cache->count; i++) {
		struct fs_buffer *b = &cache->buffer[i];

		if (b->state == FS_BUFFER_EMPTY || b->state == FS_BUFFER_GONE)
			continue;
		if (fs_buffer_idle(b))
			cache_empty(cache, b);
		else
			stayed++;
	}
	cache_leave(cache);
	return stayed;
}
