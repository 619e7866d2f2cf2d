/* SPDX-License-Identifier: MIT */
/*
 * libfs_fake.h - a block device over bytes in memory and a memory with a limit, for tests of libfs.
 *
 * The device keeps the contract of libfs/device.h and aborts when its caller does not: a buffer
 * outside one page, a wrong handle, a request that is in flight already.  Asynchronous requests
 * complete only when polled, last first, and their buffers hold rubbish until then.
 */
#ifndef LIBFS_FAKE_H
#define LIBFS_FAKE_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libfs/dir.h>
#include <libfs/ext2.h>
#include <libfs/file.h>

#define FAKE_HANDLE 0x5a5a000000000000ul
#define FAKE_QUEUE 256u

struct fake_memory {
	struct fs_memory memory;
	long out;               /* pages allocated now */
	long limit;             /* most pages; negative: no limit */
};

struct fake_disk {
	struct fs_device device;
	const uint8_t *image;
	uint64_t bytes;
	uint64_t fail_lo, fail_hi;      /* device blocks [lo, hi) cannot be read */
	uint64_t fail_at;               /* this read fails, counting from 1; 0: none */
	uint64_t reads, batches, largest, submits;
	struct fs_request *queue[FAKE_QUEUE];
	unsigned queued, accept;        /* accept: most requests of one submit */
	bool dead;                      /* nothing completes any more */
};

static int fake_alloc(struct fs_memory *memory, size_t pages, void **data)
{
	struct fake_memory *m = memory->context;

	if (m->limit >= 0 && (long)pages > m->limit - m->out)
		return -FS_E_NOMEM;
	if (posix_memalign(data, FS_PAGE_BYTES, pages * FS_PAGE_BYTES))
		abort();
	memset(*data, 0xa5, pages * FS_PAGE_BYTES);
	m->out += (long)pages;
	return 0;
}

static void fake_free(struct fs_memory *memory, void *data, size_t pages)
{
	struct fake_memory *m = memory->context;

	m->out -= (long)pages;
	free(data);
}

static uint64_t fake_handle(struct fs_memory *memory, const void *page)
{
	(void)memory;
	if ((uintptr_t)page % FS_PAGE_BYTES)
		abort();
	return (uintptr_t)page | FAKE_HANDLE;
}

static const struct fs_memory_ops fake_memory_ops = {
	.alloc = fake_alloc, .free = fake_free, .handle = fake_handle,
};

static inline void fake_memory_init(struct fake_memory *m, long limit)
{
	*m = (struct fake_memory){ .memory = { &fake_memory_ops, m }, .limit = limit };
}

static void fake_check(const struct fake_disk *d, const struct fs_request *r)
{
	uint64_t at = (uintptr_t)r->data % FS_PAGE_BYTES;

	if (r->op != FS_OP_READ || r->count == 0 || r->status != FS_PENDING ||
	    (uint64_t)r->count * d->device.block_bytes > FS_PAGE_BYTES - at ||
	    r->handle != (((uintptr_t)r->data - at) | FAKE_HANDLE)) {
		fprintf(stderr, "fake disk: a request breaks the contract\n");
		abort();
	}
}

static void fake_finish(struct fake_disk *d, struct fs_request *r)
{
	uint64_t unit = d->device.block_bytes;

	d->reads++;
	if (d->reads == d->fail_at ||
	    (r->block < d->fail_hi && r->block + r->count > d->fail_lo)) {
		r->status = -FS_E_IO;
		return;
	}
	if (r->block > d->bytes / unit || r->count > d->bytes / unit - r->block) {
		fprintf(stderr, "fake disk: a read behind its end\n");
		abort();
	}
	memcpy(r->data, d->image + r->block * unit, r->count * unit);
	r->status = 0;
}

static int fake_run(struct fs_device *device, struct fs_request *const *request, size_t n)
{
	struct fake_disk *d = device->context;
	int err = 0;

	d->batches++;
	d->largest = n > d->largest ? n : d->largest;
	for (size_t i = 0; i < n && !d->dead; i++) {
		fake_check(d, request[i]);
		fake_finish(d, request[i]);
		if (request[i]->status < 0 && err == 0)
			err = request[i]->status;
	}
	return d->dead ? -FS_E_IO : err;
}

static size_t fake_submit(struct fs_device *device, struct fs_request *const *request, size_t n)
{
	struct fake_disk *d = device->context;
	size_t i;

	d->submits++;
	for (i = 0; i < n && i < d->accept && d->queued < FAKE_QUEUE; i++) {
		fake_check(d, request[i]);
		memset(request[i]->data, 0xdb, request[i]->count * d->device.block_bytes);
		d->queue[d->queued++] = request[i];
	}
	return i;
}

static int fake_poll(struct fs_device *device, bool wait)
{
	struct fake_disk *d = device->context;

	if (d->queued == 0 || d->dead)
		return wait ? -FS_E_IO : 0;
	fake_finish(d, d->queue[--d->queued]);
	return 0;
}

static const struct fs_device_ops fake_ops = { .run = fake_run };
static const struct fs_device_ops fake_async_ops = {
	.run = fake_run, .submit = fake_submit, .poll = fake_poll,
};

/* A device of whole blocks of `unit` bytes; what is left over at the end is cut off. */
static inline void fake_disk_init(struct fake_disk *d, const uint8_t *image, uint64_t bytes,
				  uint32_t unit, bool async)
{
	*d = (struct fake_disk){ .image = image, .accept = FAKE_QUEUE };
	d->bytes = bytes / unit * unit;
	d->device.ops = async ? &fake_async_ops : &fake_ops;
	d->device.context = d;
	d->device.blocks = bytes / unit;
	d->device.block_bytes = unit;
}

/* A file under $TMPDIR, mapped for reading (with `copy`: writable, privately); NULL if absent. */
static inline uint8_t *fake_image(const char *name, bool copy, uint64_t *bytes)
{
	const char *dir = getenv("TMPDIR");
	char path[512];
	struct stat st;
	void *at;
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir ? dir : "/tmp", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	at = mmap(NULL, (size_t)st.st_size, copy ? PROT_READ | PROT_WRITE : PROT_READ, MAP_PRIVATE,
		  fd, 0);
	close(fd);
	*bytes = (uint64_t)st.st_size;
	return at == MAP_FAILED ? NULL : at;
}

/* Is e2fsprogs absent, so that there are no images? */
static inline bool fake_missing(void)
{
	uint64_t bytes;

	return fake_image("missing", false, &bytes) != NULL;
}

#endif
