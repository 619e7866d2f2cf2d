/* SPDX-License-Identifier: MIT */
/*
 * cache.h - block cache over one device: hash table, lent buffers, replaceable eviction.
 *
 * Invariant: a block is in at most one buffer; a buffer that is lent (refs > 0) or in flight is
 * never evicted.  The cache knows no file system: a block is a number of block_bytes.
 * One thread at a time uses a cache.
 *
 * Where the memory can take pages back (fs_memory_ops.lend), idle buffers are given up when memory
 * is short or asked for, and come again when it is not.  A page that was taken by force is made
 * anew at its next use, by reading its blocks again: in the thread that uses it.
 */
#ifndef LIBFS_CACHE_H
#define LIBFS_CACHE_H

#include <libfs/device.h>

#define FS_CACHE_BATCH 32u      /* most buffers of one batch, and of one prefetch */
#define FS_CACHE_FLIGHTS 64u    /* most prefetches in flight */
#define FS_CACHE_LEAST 16u      /* fewest buffers a cache works with */

enum fs_buffer_state {
	FS_BUFFER_EMPTY,        /* holds no block */
	FS_BUFFER_FLIGHT,       /* its block is being read */
	FS_BUFFER_VALID,
	FS_BUFFER_GONE,         /* holds no block, and there was no memory for its page lately */
};

struct fs_buffer {
	uint64_t block;         /* which block, if not EMPTY */
	const void *data;       /* block_bytes bytes */
	uint32_t refs;          /* how often it is lent */
	uint32_t state;         /* enum fs_buffer_state */
	uint64_t mark[2];       /* the eviction's own */
	struct fs_buffer *next; /* of the hash chain */
	struct fs_request request;
};

struct fs_cache;

/* Which buffer goes.  A table of these is all that a cache knows of its policy. */
struct fs_evict_ops {
	/* Prepare for cache->buffer[0 .. count).  0 or an error, which fs_cache_init returns. */
	int (*init)(struct fs_cache *cache);
	/* A block came into this buffer; it was used again. */
	void (*filled)(struct fs_cache *cache, struct fs_buffer *buffer);
	void (*used)(struct fs_cache *cache, struct fs_buffer *buffer);
	/*
	 * Choose a buffer for which fs_buffer_idle is true; NULL if there is none.  Any other
	 * answer counts as none.
	 */
	struct fs_buffer *(*victim)(struct fs_cache *cache);
};

/* The default: second chance (clock). */
extern const struct fs_evict_ops fs_evict_clock;

struct fs_cache_stats {
	uint64_t hits, misses;  /* of gets */
	uint64_t reads;         /* blocks asked of the device */
	uint64_t batches;       /* submissions they took */
	uint64_t prefetched;    /* of reads: by fs_cache_prefetch */
	uint64_t evicted;
	uint64_t errors;        /* reads that failed */
	uint64_t spared;        /* pages given up while memory was short */
	uint64_t rebuilt;       /* pages taken without asking whose blocks were read again */
};

struct fs_cache {
	struct fs_device *device;
	struct fs_memory *memory;
	const struct fs_evict_ops *evict;
	void    *evict_context; /* the policy's; set before fs_cache_init */
	uint64_t evict_state[2];/* the policy's own */
	uint64_t blocks;        /* the device holds blocks [0, blocks) of block_bytes */
	uint32_t block_bytes;
	uint32_t count;         /* buffers */
	uint32_t buckets;       /* a power of two */
	struct fs_buffer *buffer;       /* [count] */
	struct fs_buffer **bucket;      /* [buckets] */
	void    *meta, *data;           /* the two runs of memory all this lies in */
	size_t   meta_pages, data_pages;
	uint32_t epoch;         /* how often all was forgotten: what was read before may be old */
	uint32_t flights;
	struct fs_buffer *flight[FS_CACHE_FLIGHTS];     /* [flights] prefetches, maybe complete */
	uint32_t busy;          /* its lists are being changed: no page may go now */
	uint32_t gone;          /* buffers that are GONE */
	struct fs_keeper keeper;
	struct fs_cache_stats stats;
};

/*
 * Make a cache of at most `bytes` bytes of buffers (fewer when memory is short, never fewer than
 * FS_CACHE_LEAST buffers), in a struct that is zero but for evict_context.  block_bytes: 1024, 2048
 * or 4096, not less than the device's.  evict: NULL for the default.  0, -EXO_E_ARG, -FS_E_NOMEM,
 * or an error of the policy.
 */
int fs_cache_init(struct fs_cache *cache, struct fs_device *device, struct fs_memory *memory,
		  uint32_t block_bytes, uint64_t bytes, const struct fs_evict_ops *evict);

/* End it: waits for reads in flight, gives the memory back.  -FS_E_OPEN while a buffer is lent. */
int fs_cache_end(struct fs_cache *cache);

/*
 * Borrow the buffer of a block, reading it if need be.  Give it back with fs_cache_put.
 * 0, -EXO_E_RANGE past the device's end, -FS_E_NOBUF, or the device's error.
 */
int fs_cache_get(struct fs_cache *cache, uint64_t block, struct fs_buffer **out);

/*
 * Borrow the buffer of a block if it is there: NULL if it would have to be read, or waited for, or
 * is past the device's end.  Give it back with fs_cache_put.
 */
struct fs_buffer *fs_cache_have(struct fs_cache *cache, uint64_t block);

/*
 * Borrow n blocks (at most FS_CACHE_BATCH) with one submission for all that are missing.  May stop
 * early when buffers run out.  How many were got, from the first on (> 0), or the first's error.
 */
int fs_cache_get_batch(struct fs_cache *cache, const uint64_t *block, size_t n,
		       struct fs_buffer **out);

/* Give a buffer back. */
static inline void fs_cache_put(struct fs_cache *cache, struct fs_buffer *buffer)
{
	(void)cache;
	buffer->refs--;
}

/*
 * Start reading blocks that will be wanted.  A hint: blocks out of range are passed over, errors
 * show when the block is got.  Stops where no more can be in flight; without an asynchronous
 * device it does nothing.  How many of the n blocks, from the first on, are there or were asked
 * for.
 */
size_t fs_cache_prefetch(struct fs_cache *cache, const uint64_t *block, size_t n);

/*
 * Forget all blocks that are neither lent nor in flight, and with them, by a new epoch, what file
 * systems remember of names, inodes and places: who changed the device calls this.  How many blocks
 * stayed.
 */
uint32_t fs_cache_forget(struct fs_cache *cache);

static inline bool fs_buffer_idle(const struct fs_buffer *buffer)
{
	return buffer->refs == 0 && buffer->state != FS_BUFFER_FLIGHT &&
	       buffer->state != FS_BUFFER_GONE;
}

#endif
