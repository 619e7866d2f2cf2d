/* SPDX-License-Identifier: MIT */
/*
 * cache_spare.c - giving pages of a cache up while memory is short, and making them anew.
 *
 * Invariant: a page goes only while the cache's lists are whole (`busy` is 0) and each of its
 * buffers is idle; afterwards those hold no block.
 */
#include <base/util.h>
#include <libfs/errors.h>

#include "cache_internal.h"

/* The buffers [lo, hi) of a page. */
static uint32_t page_buffers(const struct fs_cache *cache, const void *page, uint32_t *hi)
{
	uint64_t at = (uint64_t)((const char *)page - (const char *)cache->data);
	uint32_t lo = (uint32_t)(at / cache->block_bytes);

	*hi = (uint32_t)min_u64(lo + FS_PAGE_BYTES / cache->block_bytes, cache->count);
	return lo;
}

static bool page_spare(struct fs_cache *cache, const void *page)
{
	uint32_t hi, lo = page_buffers(cache, page, &hi);

	for (uint32_t i = lo; i < hi; i++)
		if (cache->buffer[i].refs || cache->buffer[i].state == FS_BUFFER_FLIGHT)
			return false;
	for (uint32_t i = lo; i < hi; i++)
		if (cache->buffer[i].state == FS_BUFFER_VALID)
			cache_empty(cache, &cache->buffer[i]);
	cache->stats.spared++;
	return true;
}

static bool spare(void *context, const void *page)
{
	struct fs_cache *cache = context;
	bool done;

	/* Not worth waiting for, and perhaps interrupted by us. */
	if (__atomic_exchange_n(&cache->busy, 1, __ATOMIC_ACQUIRE))
		return false;
	done = page_spare(cache, page);
	cache_leave(cache);
	return done;
}

/* Read the blocks of a page again, each by a request of its own. */
static int rebuild(void *context, void *page)
{
	struct fs_cache *cache = context;
	struct fs_memory *m = cache->memory;
	uint32_t hi, lo = page_buffers(cache, page, &hi);

	for (uint32_t i = lo; i < hi; i++) {
		const struct fs_buffer *b = &cache->buffer[i];
		struct fs_request request = b->request, *one = &request;
		int err;

		if (b->state != FS_BUFFER_VALID)
			continue;
		request.handle = m->ops->handle(m, page);
		request.status = FS_PENDING;
		err = cache->device->ops->run(cache->device, &one, 1);
		if (err < 0 || request.status < 0)
			return err < 0 ? err : request.status;
		cache->stats.rebuilt++;
	}
	return 0;
}

void cache_lend(struct fs_cache *cache)
{
	struct fs_memory *m = cache->memory;

	cache->keeper = (struct fs_keeper){ cache, spare, rebuild };
	/* Refused, the memory is the cache's for good. */
	if (m->ops->lend)
		m->ops->lend(m, cache->data, cache->data_pages, &cache->keeper);
}

bool cache_present(struct fs_cache *cache, struct fs_buffer *buffer)
{
	struct fs_memory *m = cache->memory;
	void *page = (void *)round_down((uintptr_t)buffer->data, FS_PAGE_BYTES);

	if (!m->ops->renew)
		return true;
	buffer->request.handle = m->ops->handle(m, page);
	if (!buffer->request.handle && m->ops->renew(m, page) == 0)
		buffer->request.handle = m->ops->handle(m, page);
	return buffer->request.handle != 0;
}

void cache_gone(struct fs_cache *cache, struct fs_buffer *buffer)
{
	buffer->state = FS_BUFFER_GONE;
	cache->gone++;
}

bool cache_retry(struct fs_cache *cache)
{
	if (cache->gone == 0)
		return false;
	for (uint32_t i = 0; i < cache->count; i++)
		if (cache->buffer[i].state == FS_BUFFER_GONE)
			cache->buffer[i].state = FS_BUFFER_EMPTY;
	cache->gone = 0;
	return true;
}
