/* SPDX-License-Identifier: MIT */
/*
 * nvme_internal.h - between the files of the NVMe driver.
 */
#ifndef LIBFS_NVME_INTERNAL_H
#define LIBFS_NVME_INTERNAL_H

#include <libfs/nvme.h>

extern const struct fs_device_ops fs_nvme_ops;

/* The address by which the controller reaches memory of disk->memory; 0: it is not mapped. */
uint64_t fs_nvme_address(const struct fs_nvme *disk, const void *data);

#endif
