/* SPDX-License-Identifier: MIT */
/*
 * device.c - what every block device needs: its size, and a read before there is a cache.
 */
#include <base/string.h>
#include <base/util.h>
#include <libfs/device.h>
#include <libfs/errors.h>

uint64_t fs_device_bytes(const struct fs_device *device)
{
	uint64_t bytes;

	return mul_u64(device->blocks, device->block_bytes, &bytes) ? bytes : UINT64_MAX;
}

/* The blocks that cover [offset, offset + bytes) into the page of `request`. */
static int device_cover(struct fs_device *device, struct fs_request *request, uint64_t offset,
			size_t bytes)
{
	uint64_t start = round_down(offset, device->block_bytes);
	uint64_t span = round_up(offset - start + bytes, device->block_bytes);

	if (bytes == 0 || bytes > FS_PAGE_BYTES || span > FS_PAGE_BYTES)
		return -EXO_E_ARG;
	if (!range_fits(start, span, fs_device_bytes(device)))
		return -EXO_E_RANGE;
	request->block = start / device->block_bytes;
	request->count = (uint32_t)(span / device->block_bytes);
	return 0;
}

int fs_device_read(struct fs_device *device, struct fs_memory *memory, uint64_t offset,
		   void *out, size_t bytes)
{
	struct fs_request request = { .op = FS_OP_READ, .status = FS_PENDING };
	struct fs_request *batch = &request;
	int err = device_cover(device, &request, offset, bytes);

	if (err < 0)
		return err;
	err = memory->ops->alloc(memory, 1, &request.data);
	if (err < 0)
		return err;
	if (memory->ops->handle)
		request.handle = memory->ops->handle(memory, request.data);
	err = device->ops->run(device, &batch, 1);
	if (err >= 0)
		memcpy(out, (char *)request.data + offset % device->block_bytes, bytes);
	memory->ops->free(memory, request.data, 1);
	return err < 0 ? err : 0;
}
