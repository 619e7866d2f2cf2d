/* SPDX-License-Identifier: MIT */
/*
 * disk.h - a block device over a kernel disk ring, and memory of the program's own frames.
 *
 * A batch is one kick, of at most EXO_DISK_RING requests in flight.  Buffers must come from
 * fs_disk_memory.  One thread at a time; while a batch is waited for, handlers of other events run
 * (exos/event.h): they must not use the same device.
 */
#ifndef LIBFS_DISK_H
#define LIBFS_DISK_H

#include <exo/types.h>
#include <libfs/device.h>
#include <libfs/ring.h>

/* Past this without any completion the ring is ended, and with it all that is in flight. */
#define FS_DISK_SECONDS 60u

struct fs_disk {
	struct fs_device device;
	struct fs_ring ring;
	exo_slot ring_slot;     /* RING claim; 0 once it was ended */
	uint64_t ring_pfn;      /* first of its three frames */
	uint32_t event;         /* entry that completions post */
	int32_t  broken;        /* not 0: the error every request gets */
	uint64_t kicks;         /* made by this device */
};

/*
 * Make a device of blocks [lo, hi) of a disk, which `claim` (BLOCK, with EXO_R_READ) covers:
 * block 0 of the device is `lo`.  block_bytes: the disk's, 512 to 4096.  0, -EXO_E_ARG,
 * -EXO_E_ROOM (no frames, slots or events), or what binding the ring said.
 */
int fs_disk_open(struct fs_disk *disk, exo_slot claim, uint64_t lo, uint64_t hi,
		 uint32_t block_bytes);

/* End ring, frames and event.  No request may be in flight: end caches and mounts first. */
void fs_disk_close(struct fs_disk *disk);

/* Memory for caches and mounts from exos_frame_alloc: runs of consecutive frames. */
extern struct fs_memory fs_disk_memory;

#endif
