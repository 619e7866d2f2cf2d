/* SPDX-License-Identifier: MIT */
/*
 * disk.c - a block device over a kernel disk ring: kick, wait, and the ring's making and end.
 *
 * Invariant: a request accepted here is completed exactly once: by the kernel, or, when the ring is
 * given up, by us after the kernel has ended it (then no device access survives).
 */
#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include <libfs/disk.h>
#include <libfs/errors.h>

static struct fs_disk *disk_of(struct fs_device *device)
{
	return device->context;
}

/* End the ring with all that is in flight; every request from now on gets `error`. */
static void disk_break(struct fs_disk *disk, int error)
{
	disk->broken = error;
	exos_cap_end(disk->ring_slot);
	disk->ring_slot = 0;
	fs_ring_abandon(&disk->ring, error);
}

/*
 * Put as many requests as there is room for and kick once: how many were put.  Joined, neighbours
 * are one request to the disk, and fail together.
 */
static size_t disk_put(struct fs_disk *disk, struct fs_request *const *request, size_t n, bool join)
{
	size_t put = 0;
	int64_t got;

	while (put < n && request[put]->op == FS_OP_READ &&
	       fs_ring_put(&disk->ring, request[put], exos_frame_claim(request[put]->handle),
			   request[put]->handle)) {
		put++;
		if (join)
			fs_ring_join(&disk->ring);
	}
	if (put == 0 || fs_ring_show(&disk->ring) == 0)
		return put;
	disk->kicks++;
	got = exo_disk_kick(disk->ring_slot);
	/* The kernel's word for a ring that is bound no more: its block claim was revoked. */
	if (got == -EXO_E_ARG)
		got = -EXO_E_STALE;
	if (got < 0)
		fs_ring_take_back(&disk->ring, (int)got);
	return put;
}

/* Block until at least one completion was taken, or the ring is given up. */
static void disk_wait(struct fs_disk *disk)
{
	uint64_t deadline = exos_deadline(FS_DISK_SECONDS * 1000000000ul);

	while (fs_ring_take(&disk->ring) == 0) {
		if (exos_event_wait(disk->event, deadline))
			continue;
		/* Late, but perhaps there all the same. */
		if (fs_ring_take(&disk->ring) == 0)
			disk_break(disk, -EXO_E_TIME);
		return;
	}
}

/* Give requests that were never put a status. */
static void disk_refuse(struct fs_request *const *request, size_t n, int error)
{
	for (size_t i = 0; i < n; i++)
		request[i]->status = error;
}

/* All of these, until each has its status. */
static void disk_pass(struct fs_disk *disk, struct fs_request *const *request, size_t n, bool join)
{
	size_t put = 0;

	for (size_t done = 0; done < n;) {
		if (disk->broken) {
			disk_refuse(request + put, n - put, disk->broken);
			put = n;
		}
		if (put < n && request[put]->op != FS_OP_READ)
			request[put++]->status = -EXO_E_ARG;
		put += disk_put(disk, request + put, n - put, join);
		while (done < put && request[done]->status != FS_PENDING)
			done++;
		if (done < n && disk->ring.out > 0)
			disk_wait(disk);
	}
}

/* What failed together is tried alone: only what cannot be read is lost. */
static int disk_run(struct fs_device *device, struct fs_request *const *request, size_t n)
{
	struct fs_disk *disk = disk_of(device);
	int err = 0;

	disk_pass(disk, request, n, true);
	for (size_t i = 0; i < n; i++) {
		if (n > 1 && request[i]->status == -FS_E_IO)
			disk_pass(disk, request + i, 1, false);
		if (!err && request[i]->status < 0)
			err = request[i]->status;
	}
	return err;
}

static size_t disk_submit(struct fs_device *device, struct fs_request *const *request, size_t n)
{
	struct fs_disk *disk = disk_of(device);

	/* Ahead of time: what fails here is read again, alone, when it is asked for. */
	return disk->broken ? 0 : disk_put(disk, request, n, true);
}

static int disk_poll(struct fs_device *device, bool wait)
{
	struct fs_disk *disk = disk_of(device);

	if (disk->broken)
		return disk->broken;
	if (fs_ring_take(&disk->ring) || !wait)
		return 0;
	if (disk->ring.out == 0)
		return -FS_E_IO;
	disk_wait(disk);
	return 0;
}

static const struct fs_device_ops disk_ops = {
	.run = disk_run,
	.submit = disk_submit,
	.poll = disk_poll,
};

/* Map one of the ring's shared pages; they are mapped one by one. */
static void *disk_page(struct fs_disk *disk, uint64_t index, int *err)
{
	return exos_space_window(disk->ring_slot, disk->ring_pfn + index, 1,
				 EXO_R_READ | EXO_R_WRITE, err);
}

/* Retype three frames into a ring, map its shared pages and bind it. */
static int disk_ring(struct fs_disk *disk, exo_slot blocks, uint64_t lo)
{
	struct exo_disk_sq_page *sq;
	struct exo_disk_cq_page *cq;
	exo_slot frames;
	int err = exos_frame_alloc(EXO_FRAMES_RING, &disk->ring_pfn, &frames);

	if (err < 0)
		return err;
	err = exos_cap_retype(frames, disk->ring_pfn, EXO_KIND_RING, 0, &disk->ring_slot);
	if (err < 0)
		goto free_frames;
	sq = disk_page(disk, 1, &err);
	if (!sq)
		goto end_ring;
	cq = disk_page(disk, 2, &err);
	if (!cq)
		goto unmap_sq;
	fs_ring_init(&disk->ring, sq, cq, lo);
	err = (int)exo_disk_bind(disk->ring_slot, blocks, disk->event);
	if (err >= 0)
		return 0;
	exos_space_window_end(cq, 1);
unmap_sq:
	exos_space_window_end(sq, 1);
end_ring:
	exos_cap_end(disk->ring_slot);
free_frames:
	exos_frame_free(disk->ring_pfn, EXO_FRAMES_RING);
	return err;
}

/* How many pieces a request may have: one, where the machine is not shown to us. */
static uint32_t disk_pieces(exo_slot claim)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_cap *c = exos_cap_look(claim);
	const struct exo_disk_info *info = m ? exos_machine_at(m->disks_off) : NULL;

	return info && c && c->unit < m->disks ? info[c->unit].pieces : 1;
}

int fs_disk_open(struct fs_disk *disk, exo_slot claim, uint64_t lo, uint64_t hi,
		 uint32_t block_bytes)
{
	int err;

	memset(disk, 0, sizeof *disk);
	if (lo >= hi || block_bytes < 512 || block_bytes > FS_PAGE_BYTES ||
	    (block_bytes & (block_bytes - 1)))
		return -EXO_E_ARG;
	disk->event = exos_event_alloc();
	if (!disk->event)
		return -EXO_E_ROOM;
	err = disk_ring(disk, claim, lo);
	if (err < 0) {
		exos_event_free(disk->event);
		return err;
	}
	disk->ring.pieces_most = disk_pieces(claim);
	disk->ring.blocks_most = EXO_DISK_MAX_BYTES / block_bytes;
	disk->device.ops = &disk_ops;
	disk->device.context = disk;
	disk->device.blocks = hi - lo;
	disk->device.block_bytes = block_bytes;
	return 0;
}

void fs_disk_close(struct fs_disk *disk)
{
	exos_space_window_end(disk->ring.cq, 1);
	exos_space_window_end(disk->ring.sq, 1);
	if (disk->ring_slot)
		exos_cap_end(disk->ring_slot);
	exos_event_free(disk->event);
	exos_frame_free(disk->ring_pfn, EXO_FRAMES_RING);
	memset(disk, 0, sizeof *disk);
}
