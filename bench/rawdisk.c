/* SPDX-License-Identifier: MIT */
/*
 * rawdisk.c - the disk itself, as system.h wants it, on exo: requests put into a ring of our own.
 */
#include <exos/call.h>
#include <exos/event.h>
#include <exos/frame.h>
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

static struct fs_request request[SYSTEM_DISK_MOST];

static struct fs_request *request_make(uint32_t n, uint32_t page)
{
	uint8_t *at = data + (size_t)n * SYSTEM_PAGE;

	request[n] = (struct fs_request){
		.block = (uint64_t)page * blocks, .count = blocks, .op = FS_OP_READ,
		.data = at, .handle = fs_disk_memory.ops->handle(&fs_disk_memory, at),
	};
	return &request[n];
}

/* Requests that follow each other are joined by the ring. */
int system_disk_read(const uint32_t *page, uint32_t count, bool together)
{
	static struct fs_request *list[SYSTEM_DISK_MOST];

	(void)together;
	for (uint32_t i = 0; i < count; i++)
		list[i] = request_make(i, page[i]);
	return disk.device.ops->run(&disk.device, list, count);
}

/* One request, as a write, behind those that were put; false: the ring is full. */
static bool write_put(struct fs_request *r)
{
	struct fs_ring *ring = &disk.ring;

	if (!fs_ring_put(ring, r, exos_frame_claim(r->handle), r->handle))
		return false;
	ring->sq->req[(ring->put - 1) % EXO_DISK_RING].op = EXO_DISK_WRITE;
	fs_ring_join(ring);
	return true;
}

/* libfs' device reads only: here the ring is filled, kicked and waited for by ourselves. */
int system_disk_write(const uint32_t *page, uint32_t count, bool together)
{
	struct fs_ring *ring = &disk.ring;
	uint32_t put = 0;
	int status = 0;

	(void)together;
	while (put < count || ring->out) {
		while (put < count && write_put(request_make(put, page[put])))
			put++;
		if (fs_ring_show(ring) && exo_disk_kick(disk.ring_slot) < 0)
			fs_ring_take_back(ring, -EXO_E_DEVICE);
		while (ring->out && !fs_ring_take(ring))
			exos_event_wait(disk.event, 0);
	}
	for (uint32_t i = 0; i < count; i++)
		status |= request[i].status;
	return status;
}

uint8_t *system_disk_data(uint32_t n)
{
	return data + (size_t)n * SYSTEM_PAGE;
}
