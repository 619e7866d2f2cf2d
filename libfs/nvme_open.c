/* SPDX-License-Identifier: MIT */
/*
 * nvme_open.c - taking an NVMe controller into use by its PCI claim, its memory, the end.
 *
 * Invariant: frames that the controller may reach are given back only after they left its domain,
 * and those of its queues after it was reset.
 */
#include <base/string.h>
#include <base/util.h>
#include <exo/cap.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/time.h>
#include <libfs/errors.h>

#include "nvme_internal.h"

#define REGISTERS_MAX 0x4000u   /* one queue pair's doorbells are in the first page behind 4 KiB */
#define VECTOR        0

static uint64_t nvme_clock(void *context)
{
	(void)context;
	return exos_ns();
}

/* exos/pci.h: the device uses the physical address of a frame. */
uint64_t fs_nvme_address(const struct fs_nvme *disk, const void *data)
{
	uint64_t pfn = exos_space_frame((uint64_t)data);

	(void)disk;
	return pfn ? pfn * EXO_PAGE_SIZE + (uint64_t)data % EXO_PAGE_SIZE : 0;
}

/* Consecutive frames, mapped here and in the controller's domain. */
static void *shared_alloc(struct fs_nvme *disk, uint64_t pages, uint64_t *pfn)
{
	uint64_t address;
	exo_slot claim;
	void *data;

	if (exos_frame_alloc(pages, pfn, &claim) < 0)
		return NULL;
	data = exos_space_window(claim, *pfn, pages, EXO_R_READ | EXO_R_WRITE, NULL);
	if (data && !exos_pci_dma_map(&disk->pci, claim, *pfn, pages, EXO_R_READ | EXO_R_WRITE,
				      &address))
		return data;
	if (data)
		exos_space_window_end(data, pages);
	exos_frame_free(*pfn, pages);
	return NULL;
}

static void shared_free(struct fs_nvme *disk, void *data, uint64_t pfn, uint64_t pages)
{
	exos_pci_dma_unmap(&disk->pci, pfn * EXO_PAGE_SIZE, pages);
	exos_space_window_end(data, pages);
	exos_frame_free(pfn, pages);
}

static int memory_alloc(struct fs_memory *memory, size_t pages, void **data)
{
	uint64_t pfn;

	*data = shared_alloc(memory->context, pages, &pfn);
	return *data ? 0 : -FS_E_NOMEM;
}

static void memory_free(struct fs_memory *memory, void *data, size_t pages)
{
	shared_free(memory->context, data, exos_space_frame((uint64_t)data), pages);
}

static uint64_t memory_handle(struct fs_memory *memory, const void *page)
{
	return fs_nvme_address(memory->context, page);
}

static const struct fs_memory_ops memory_ops = {
	.alloc = memory_alloc, .free = memory_free, .handle = memory_handle,
};

/* What of BAR 0 we need and may map: up to the pages of the MSI-X table, if they are there. */
static uint64_t registers_size(const struct exo_pci_info *info)
{
	uint64_t bytes = min_u64(info->bar[0].bytes, REGISTERS_MAX);

	if (info->table_bar == 0 && info->table_pages)
		bytes = min_u64(bytes, (uint64_t)info->table_page * EXO_PAGE_SIZE);
	return bytes;
}

/* Registers, domain and queues' memory. */
static int nvme_attach(struct fs_nvme *disk)
{
	struct nvme *n = &disk->nvme;
	int err;

	disk->registers_bytes = registers_size(disk->pci.info);
	n->registers = exos_pci_map(&disk->pci, 0, 0, disk->registers_bytes, &err);
	if (!n->registers)
		return err;
	err = exos_pci_dma_start(&disk->pci, 0);
	if (err < 0)
		return err;
	n->memory = shared_alloc(disk, NVME_PAGES, &disk->pfn);
	if (!n->memory)
		return -FS_E_NOMEM;
	if (disk->event)
		err = exos_pci_vector(&disk->pci, VECTOR, disk->event);
	n->registers_bytes = disk->registers_bytes;
	n->dma = disk->pfn * EXO_PAGE_SIZE;
	n->clock_ns = nvme_clock;
	n->vector = VECTOR;
	n->interrupts = disk->event != 0;
	return err;
}

static void nvme_release(struct fs_nvme *disk)
{
	struct nvme *n = &disk->nvme;

	if (disk->pfn && n->io.slots)
		nvme_stop(n);
	exos_pci_reset(&disk->pci);
	if (disk->pfn)
		shared_free(disk, n->memory, disk->pfn, NVME_PAGES);
	if (n->registers)
		exos_pci_unmap(n->registers, disk->registers_bytes);
	exos_pci_close(&disk->pci);
	disk->pfn = 0;
	n->registers = NULL;
}

int fs_nvme_open(struct fs_nvme *disk, exo_slot claim, uint32_t event)
{
	int err;

	memset(disk, 0, sizeof *disk);
	disk->event = event;
	disk->memory = (struct fs_memory){ .ops = &memory_ops, .context = disk };
	err = exos_pci_open(&disk->pci, claim);
	if (err < 0)
		return err;
	disk->why = disk->pci.info->class_code == NVME_CLASS ? NULL : "it is no NVMe controller";
	err = disk->why ? -FS_E_IO : nvme_attach(disk);
	if (!err) {
		disk->why = nvme_start(&disk->nvme);
		err = disk->why ? -FS_E_IO : 0;
	}
	if (err < 0) {
		nvme_release(disk);
		return err;
	}
	disk->device = (struct fs_device){
		.ops = &fs_nvme_ops, .context = disk, .blocks = disk->nvme.identity.blocks,
		.block_bytes = disk->nvme.identity.block_bytes };
	return 0;
}

void fs_nvme_close(struct fs_nvme *disk)
{
	nvme_release(disk);
	disk->broken = -EXO_E_STALE;
}
