/* SPDX-License-Identifier: MIT */
/*
 * rawdisk.c - the disk itself, as system.h wants it, on exo: requests put into a ring of our own.
 */
#include <exos/start.h>
#include <libfs/disk.h>

#include "bench.h"
#include "system.h"

static struct fs_disk disk;
static uint8_t *data;
static uint32_t blocks;         /* of a page */

void system_disk_end(void)
{
	if (data)
		fs_disk_memory.ops->free(&fs_disk_memory, data, SYSTEM_DISK_MOST);
	if (blocks)
		fs_disk_close(&disk);
	data = NULL;
	blocks = 0;
}

int system_disk_start(void)
{
	const struct exos_grant *g = exos_grant("disk", 0);
	const struct exo_disk_info *info = exos_machine_at(exos_machine()->disks_off);

	if (!g || fs_disk_open(&disk, g->slot, g->lo, g->hi, info[g->unit].block_bytes) < 0)
		return -1;
	blocks = SYSTEM_PAGE / info[g->unit].block_bytes;
	return fs_disk_memory.ops->alloc(&fs_disk_memory, SYSTEM_DISK_MOST, (void **)&data);
}

/* Requests that follow each other are joined by the ring. */
int system_disk_read(const uint32_t *page, uint32_t count, bool together)
{
	static struct fs_request request[SYSTEM_DISK_MOST];
	static struct fs_request *list[SYSTEM_DISK_MOST];

	(void)together;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *to = data + (size_t)i * SYSTEM_PAGE;

		request[i] = (struct fs_request){
			.block = (uint64_t)page[i] * blocks, .count = blocks, .op = FS_OP_READ,
			.data = to, .handle = fs_disk_memory.ops->handle(&fs_disk_memory, to),
		};
		list[i] = &request[i];
	}
	return disk.device.ops->run(&disk.device, list, count);
}

const uint8_t *system_disk_data(uint32_t n)
{
	return data + (size_t)n * SYSTEM_PAGE;
}
