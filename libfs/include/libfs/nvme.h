/* SPDX-License-Identifier: MIT */
/*
 * nvme.h - an NVMe controller that belongs to this program: a block device without the kernel.
 *
 * The program holds the PCI claim, so registers, queues and interrupts are its own; the queue code
 * is the one the kernel shares disks by (base/nvme.h).  Reading and writing enter the kernel only
 * to wait, and never when it polls.  Buffers must come from `memory`: frames that the controller's
 * domain maps.  One thread at a time; while a request is waited for by event, handlers of other
 * events run: they must not use the same device.
 */
#ifndef LIBFS_NVME_H
#define LIBFS_NVME_H

#include <base/nvme.h>
#include <exo/types.h>
#include <exos/pci.h>
#include <libfs/device.h>

/* Past this without any completion the controller is stopped and started anew. */
#define FS_NVME_SECONDS 30u

struct fs_nvme {
	struct fs_device device;
	struct fs_memory memory;        /* what this device can reach; context: this struct */
	struct nvme nvme;
	struct exos_pci pci;
	const char *why;                /* after a failed open: what is wrong, in words */
	uint64_t pfn;                   /* first of NVME_PAGES frames of the queues, 0: none */
	uint64_t registers_bytes;
	uint32_t event;                 /* entry of completions; 0: it polls */
	int32_t  broken;                /* not 0: the error every request gets */
	uint64_t out;                   /* requests with the controller */
	uint64_t requests;              /* completed, ever */
	uint64_t waits;                 /* times the kernel was entered on the way */
};

/*
 * Drive the controller of the PCI claim `claim` (EXO_R_MAP and EXO_R_CONTROL), first active
 * namespace.  event: entry of exos_event_alloc that completions post, or 0: requests are polled
 * for.  0; -EXO_E_* of the claim; -FS_E_NOMEM; -FS_E_IO with `why` set: it cannot be driven.
 */
int fs_nvme_open(struct fs_nvme *disk, exo_slot claim, uint32_t event);

/* Reset the function, give back everything but memory that `memory` lent out: before, not after. */
void fs_nvme_close(struct fs_nvme *disk);

/*
 * Carry out one request and wait for it.  data: within pages of disk->memory that lie in one run;
 * bytes: a multiple of the block size.  fua of a write: it is on the medium then.
 * 0, -EXO_E_ARG, -EXO_E_RANGE (past the end), -FS_E_IO, or why the device is broken.
 */
int fs_nvme_read(struct fs_nvme *disk, uint64_t block, void *data, uint32_t bytes);
int fs_nvme_write(struct fs_nvme *disk, uint64_t block, const void *data, uint32_t bytes,
		  bool fua);
/* Everything written so far is on the medium. */
int fs_nvme_flush(struct fs_nvme *disk);

#endif
