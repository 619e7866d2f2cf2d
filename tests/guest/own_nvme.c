/* SPDX-License-Identifier: MIT */
/*
 * own_nvme.c - an NVMe controller driven by the test itself: what is written is read again, and
 * what the kernel has to do with it.
 *
 * The disk is filled like the suite's other one: word i of it is i * STEP.
 */
#include <exos/console.h>
#include <exos/event.h>
#include <libfs/errors.h>
#include <libfs/nvme.h>
#include <exos/space.h>
#include <exos/time.h>

#include "own_device.h"

#define STEP   0x9e3779b97f4a7c15ul
#define PAGES  64u
#define ROUNDS 200u             /* requests that are counted together */

static uint64_t wrong_words(const uint64_t *words, uint64_t count, uint64_t first_byte)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < count; i++)
		wrong += words[i] != (first_byte / 8 + i) * STEP;
	return wrong;
}

static bool disk_start(struct fs_nvme *disk, bool interrupts, void **data)
{
	exo_slot claim = own_device_find(NVME_CLASS, 0, "needs an NVMe controller of its own");
	uint32_t event = interrupts ? exos_event_alloc() : 0;
	int err = fs_nvme_open(disk, claim, event);

	if (err < 0) {
		guest_fail("the controller cannot be driven: %d, %s", err,
			   disk->why ? disk->why : "-");
		return false;
	}
	err = disk->memory.ops->alloc(&disk->memory, PAGES, data);
	if (!expect_eq(err, 0))
		fs_nvme_close(disk);
	return err == 0;
}

static void disk_end(struct fs_nvme *disk, void *data)
{
	disk->memory.ops->free(&disk->memory, data, PAGES);
	fs_nvme_close(disk);
	if (disk->event)
		exos_event_free(disk->event);
}

/* The largest transfer, a single block within a page, the last block, what is past the end. */
static void disk_reads(struct fs_nvme *disk, uint8_t *data)
{
	uint32_t block = disk->device.block_bytes;
	uint64_t blocks = disk->device.blocks;

	expect_eq(fs_nvme_read(disk, 0, data, PAGES * EXO_PAGE_SIZE), 0);
	expect_eq(wrong_words((uint64_t *)data, PAGES * 512, 0), 0);
	expect_eq(fs_nvme_read(disk, blocks - 1, data + 4096 - block, block), 0);
	expect_eq(wrong_words((uint64_t *)(data + 4096 - block), block / 8,
			      (blocks - 1) * block), 0);
	expect_eq(wrong_words((uint64_t *)(data + 4096), 512, 4096), 0);
	expect_error(fs_nvme_read(disk, blocks, data, block), RANGE);
	expect_error(fs_nvme_read(disk, blocks - 1, data, 2 * block), RANGE);
	expect_error(fs_nvme_read(disk, 0, data, block - 1), ARG);
	expect_error(fs_nvme_read(disk, 0, (void *)(uint64_t)4096, block), ARG);
}

static void disk_writes(struct fs_nvme *disk, uint8_t *data)
{
	uint32_t half = PAGES / 2 * EXO_PAGE_SIZE, block = disk->device.block_bytes;
	uint64_t *words = (uint64_t *)data, at = 1000 * (4096 / block), wrong = 0;

	for (unsigned i = 0; i < half / 8; i++)
		words[i] = guest_random();
	expect_eq(fs_nvme_write(disk, at, data, half, true), 0);
	expect_eq(fs_nvme_flush(disk), 0);
	expect_eq(fs_nvme_read(disk, at, data + half, half), 0);
	for (unsigned i = 0; i < half / 8; i++)
		wrong += words[i] != words[half / 8 + i];
	expect_eq(wrong, 0);
	/* Beside it, nothing has changed. */
	expect_eq(fs_nvme_read(disk, at - 1, data, block), 0);
	expect_eq(wrong_words(words, block / 8, (at - 1) * block), 0);
	expect_eq(fs_nvme_read(disk, at + half / block, data, block), 0);
	expect_eq(wrong_words(words, block / 8, at * block + half), 0);
}

/* Times the kernel was entered while so many blocks were read. */
static uint64_t entries_of_reads(struct fs_nvme *disk, uint8_t *data)
{
	uint64_t entries = own_device_entries();

	for (unsigned i = 0; i < ROUNDS; i++)
		if (fs_nvme_read(disk, i * 8, data, 4096) < 0)
			return UINT64_MAX;
	return own_device_entries() - entries;
}

EXO_TEST(own_nvme_by_polling_never_enters_the_kernel, PCI)
{
	static struct fs_nvme disk;
	uint64_t entries;
	void *data;

	if (!disk_start(&disk, false, &data))
		return;
	disk_reads(&disk, data);
	disk_writes(&disk, data);
	entries = entries_of_reads(&disk, data);
	printf("own nvme %s (%s), polled: %lu kernel entries for %u requests\n",
	       disk.nvme.identity.model, disk.nvme.identity.serial, entries, ROUNDS);
	expect_eq(entries, 0);
	expect_eq(disk.waits, 0);
	disk_end(&disk, data);
}

EXO_TEST(own_nvme_by_interrupt, PCI)
{
	static struct fs_nvme disk;
	uint64_t waits, requests, entries;
	void *data;

	if (!disk_start(&disk, true, &data))
		return;
	disk_reads(&disk, data);
	disk_writes(&disk, data);
	waits = disk.waits;
	requests = disk.requests;
	entries = own_device_entries();
	for (unsigned i = 0; i < ROUNDS; i++)
		expect_eq(fs_nvme_read(&disk, i * 8, data, 4096), 0);
	/* The count that polling leaves at 0: acknowledgements at least. */
	entries = own_device_entries() - entries;
	expect(entries >= (disk.waits - waits) / 2);
	printf("own nvme, by interrupt: %lu kernel entries for %lu requests\n", entries,
	       disk.requests - requests);
	expect(disk.waits > 0);
	disk_end(&disk, data);
}

/* The device is libfs's like any other: batches through its table, 32 pages at a time. */
EXO_TEST(own_nvme_is_a_device_of_libfs, PCI)
{
	static struct fs_request request[PAGES], *list[PAGES];
	static struct fs_nvme disk;
	void *data;

	if (!disk_start(&disk, false, &data))
		return;
	for (unsigned i = 0; i < PAGES; i++) {
		uint8_t *page = (uint8_t *)data + i * EXO_PAGE_SIZE;

		request[i] = (struct fs_request){
			.block = (uint64_t)(PAGES - i) * 16, .op = FS_OP_READ, .data = page,
			.count = EXO_PAGE_SIZE / disk.device.block_bytes, .status = FS_PENDING,
			.handle = disk.memory.ops->handle(&disk.memory, page) };
		list[i] = &request[i];
	}
	expect_eq(disk.device.ops->run(&disk.device, list, PAGES), 0);
	for (unsigned i = 0; i < PAGES; i++)
		expect_eq(wrong_words(request[i].data, 512,
				      request[i].block * disk.device.block_bytes), 0);
	disk_end(&disk, data);
}

/* Have the controller read a block to an address; what came back, NVME_LOST if nothing did. */
static uint32_t read_to(struct fs_nvme *disk, uint64_t dma)
{
	struct nvme_piece piece = { dma, EXO_PAGE_SIZE };
	struct nvme_request r = { .op = NVME_READ, .block = 8, .piece = &piece, .pieces = 1 };
	uint64_t deadline = exos_deadline(2000000000ul);
	struct nvme_done done = { .status = 0 };

	if (!expect_eq(nvme_io_submit(&disk->nvme.io, &r), 0))
		return 0;
	nvme_io_kick(&disk->nvme.io);
	while (exos_tsc() < deadline)
		if (nvme_io_reap(&disk->nvme.io, &done))
			return done.status;
	/* One that keeps a command whose memory it cannot reach: it is started anew. */
	expect(!nvme_restart(&disk->nvme));
	expect(nvme_io_reap(&disk->nvme.io, &done));
	return done.status;
}

static uint64_t words_changed(const uint64_t *words)
{
	uint64_t changed = 0;

	for (unsigned i = 0; i < 512; i++)
		changed += words[i] != 0x5555;
	return changed;
}

/* What the controller is not given it does not reach: our memory stays, the attempt is known. */
EXO_TEST(own_nvme_reaches_only_what_it_was_given, PCI)
{
	static struct fs_nvme disk;
	struct guest_frames f;
	uint64_t *words, dma, faults;
	void *data;

	if (!disk_start(&disk, false, &data))
		return;
	if (!(disk.pci.info->flags & EXO_PCI_DMA)) {
		disk_end(&disk, data);
		guest_skip("no IOMMU translates for this controller");
	}
	must_eq(guest_frames_make(&f, 1), 0);
	words = exos_space_window(f.slot, f.lo, 1, GUEST_RW, NULL);
	must(words != NULL);
	for (unsigned i = 0; i < 512; i++)
		words[i] = 0x5555;
	faults = disk.pci.info->faults;
	/* QEMU's reports success all the same: what counts is memory, and who is named. */
	read_to(&disk, f.lo * EXO_PAGE_SIZE);
	expect_eq(words_changed(words), 0);
	expect(disk.pci.info->faults > faults);
	expect_eq(disk.pci.info->fault_iova & ~0xffful, f.lo * EXO_PAGE_SIZE);
	/* The rightful acts beside it: the same page given, and memory of the device's. */
	must_eq(exos_pci_dma_map(&disk.pci, f.slot, f.lo, 1, GUEST_RW, &dma), 0);
	expect_eq(read_to(&disk, dma), 0);
	expect_eq(wrong_words(words, 512, 8ul * disk.device.block_bytes), 0);
	expect_eq(exos_pci_dma_unmap(&disk.pci, dma, 1), 0);
	expect_eq(fs_nvme_read(&disk, 8, data, 4096), 0);
	expect_eq(wrong_words(data, 512, 8ul * disk.device.block_bytes), 0);
	exos_space_window_end(words, 1);
	disk_end(&disk, data);
}
