/* SPDX-License-Identifier: MIT */
/*
 * evict.c - second chance (clock), the default eviction of a block cache.
 *
 * A hand goes round the buffers: one that was used since it last came by is passed over once.  A
 * block is not counted as used by the get that read it, so one long scan does not push out what
 * is used again and again.
 */
#include <libfs/cache.h>

/* evict_state[0]: the hand; mark[0] of a buffer: used since the hand came by. */
static int clock_init(struct fs_cache *cache)
{
	cache->evict_state[0] = 0;
	return 0;
}

static void clock_filled(struct fs_cache *cache, struct fs_buffer *buffer)
{
	(void)cache;
	buffer->mark[0] = 0;
}

static void clock_used(struct fs_cache *cache, struct fs_buffer *buffer)
{
	(void)cache;
	buffer->mark[0] = 1;
}

static struct fs_buffer *clock_victim(struct fs_cache *cache)
{
	uint64_t hand = cache->evict_state[0];
	struct fs_buffer *found = NULL;

	/* Two rounds: the first may do no more than clear marks. */
	for (uint32_t i = 0; i < 2 * cache->count && !found; i++) {
		struct fs_buffer *b = &cache->buffer[hand];

		hand = hand + 1 == cache->count ? 0 : hand + 1;
		if (!fs_buffer_idle(b))
			continue;
		if (b->state == FS_BUFFER_EMPTY || !b->mark[0])
			found = b;
		b->mark[0] = 0;
	}
	cache->evict_state[0] = hand;
	return found;
}

const struct fs_evict_ops fs_evict_clock = {
	.init = clock_init,
	.filled = clock_filled,
	.used = clock_used,
	.victim = clock_victim,
};
