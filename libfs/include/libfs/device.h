/* SPDX-License-Identifier: MIT */
/*
 * device.h - block devices and memory as libfs sees them: small tables of functions.
 *
 * A device reads blocks in batches: one call is one submission, whatever its length.  Buffers lie
 * in pages of a struct fs_memory, whose handle a device may use to find the page's claim and frame.
 * One thread at a time uses a device.
 */
#ifndef LIBFS_DEVICE_H
#define LIBFS_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_PAGE_BYTES 4096u

struct fs_memory;

/* Whose pages may be taken back, because it can make their contents anew. */
struct fs_keeper {
	void *context;
	/* May the page go now?  If so, what is in it is forgotten.  Called at any time. */
	bool (*spare)(void *context, const void *page);
	/* A page that was taken without asking is there again, zeroed: 0, or it cannot be made. */
	int (*rebuild)(void *context, void *page);
};

struct fs_memory_ops {
	/*
	 * Allocate `pages` consecutive, page-aligned, writable pages (addresses are consecutive,
	 * frames need not be; contents are anything).  0 and *data, or -FS_E_NOMEM.
	 */
	int (*alloc)(struct fs_memory *memory, size_t pages, void **data);
	/* Give back a run exactly as it was allocated. */
	void (*free)(struct fs_memory *memory, void *data, size_t pages);
	/* What a device needs to know of the page at `page`, by agreement with it.  May be NULL. */
	uint64_t (*handle)(struct fs_memory *memory, const void *page);
	/*
	 * From now to its end the pages of a run may be taken back.  Then handle gives 0 for them,
	 * and renew makes such a page usable again, or fails for lack of memory.  The keeper stays
	 * where it is.  0, or -FS_E_NOMEM.  Both may be NULL.
	 */
	int (*lend)(struct fs_memory *memory, void *data, size_t pages,
		    const struct fs_keeper *keeper);
	int (*renew)(struct fs_memory *memory, void *page);
};

struct fs_memory {
	const struct fs_memory_ops *ops;
	void *context;          /* the implementer's */
};

enum fs_op { FS_OP_READ = 1 };

/* Status of a request that was submitted and is not complete.  Never an error. */
#define FS_PENDING 1

struct fs_request {
	uint64_t block;         /* first, in device blocks */
	uint32_t count;         /* device blocks, > 0; all within one page */
	uint16_t op;            /* enum fs_op */
	uint16_t spare;
	void    *data;          /* within a page of the memory given to the cache */
	uint64_t handle;        /* of that page */
	int32_t  status;        /* out: FS_PENDING, then 0 or -FS_E_* or -EXO_E_* */
	uint32_t tag;           /* the device's, as is `next` */
	struct fs_request *next;
};

struct fs_device;

struct fs_device_ops {
	/*
	 * Carry out n requests as one submission; return when all are complete, each with its
	 * status.  0, or the first error among them.
	 */
	int (*run)(struct fs_device *device, struct fs_request *const *request, size_t n);
	/*
	 * Start n requests and return at once.  The number accepted, from the first on: those get
	 * status FS_PENDING and must stay where they are until it changes.  May be NULL.
	 */
	size_t (*submit)(struct fs_device *device, struct fs_request *const *request, size_t n);
	/*
	 * Note what has completed since; with wait, block until at least one request did.  0, or
	 * an error when nothing is in flight.  NULL exactly if submit is.
	 */
	int (*poll)(struct fs_device *device, bool wait);
};

struct fs_device {
	const struct fs_device_ops *ops;
	void    *context;       /* the implementer's */
	uint64_t blocks;        /* size, in device blocks */
	uint32_t block_bytes;   /* 512, 1024, 2048 or 4096 */
};

/*
 * Read [offset, offset + bytes) of a device, for what comes before a cache exists: bytes at most
 * FS_PAGE_BYTES.  0, -EXO_E_RANGE past the end, -FS_E_NOMEM or a device error.
 */
int fs_device_read(struct fs_device *device, struct fs_memory *memory, uint64_t offset,
		   void *out, size_t bytes);

/* Size in bytes; UINT64_MAX if that does not fit. */
uint64_t fs_device_bytes(const struct fs_device *device);

#endif
