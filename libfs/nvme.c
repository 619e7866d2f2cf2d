/* SPDX-License-Identifier: MIT */
/*
 * nvme.c - requests to the program's own NVMe controller.
 *
 * Invariant: a struct fs_request stays with us until it was completed: by the controller or, when
 * that is given up, after it was stopped.  Opening and closing: nvme_open.c.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/event.h>
#include <exos/time.h>
#include <libfs/errors.h>
#include <libfs/nvme.h>

#include "nvme_internal.h"

#define POLLS 4096u             /* looks between two at the clock */

/* A request of one of the library's own calls: only its status matters. */
static void request_finish(struct fs_nvme *disk, const struct nvme_done *done)
{
	struct fs_request *request = (struct fs_request *)done->cookie;

	request->status = done->status ? -FS_E_IO : 0;
	disk->out--;
	disk->requests++;
}

/* Note what has completed; how many requests. */
static unsigned nvme_take(struct fs_nvme *disk)
{
	struct nvme_done done;
	unsigned n = 0;

	while (nvme_io_reap(&disk->nvme.io, &done)) {
		request_finish(disk, &done);
		n++;
	}
	return n;
}

/* No answer: stop the controller, which ends every request; one that stays so is broken. */
static void nvme_give_up(struct fs_nvme *disk)
{
	if (nvme_restart(&disk->nvme)) {
		disk->broken = -FS_E_IO;
		exos_pci_reset(&disk->pci);
	}
	nvme_take(disk);
}

/* Look until something completed: no kernel call. */
static bool nvme_spin(struct fs_nvme *disk, uint64_t deadline)
{
	do {
		for (unsigned i = 0; i < POLLS; i++) {
			if (nvme_take(disk))
				return true;
		}
	} while (exos_tsc() < deadline);
	return false;
}

/* Block until something completed.  An interrupt that came before we look is not lost. */
static bool nvme_sleep(struct fs_nvme *disk, uint64_t deadline)
{
	while (!nvme_take(disk)) {
		disk->waits++;
		if (!exos_event_wait(disk->event, deadline))
			return nvme_take(disk) != 0;
		disk->waits++;
		exos_pci_ack(&disk->pci, disk->nvme.vector);
	}
	return true;
}

static void nvme_await(struct fs_nvme *disk)
{
	uint64_t deadline = exos_deadline(FS_NVME_SECONDS * 1000000000ul);

	if (!(disk->event ? nvme_sleep(disk, deadline) : nvme_spin(disk, deadline)))
		nvme_give_up(disk);
}

/* Put one request into the queue: 0, NVME_FULL or an error; then its status is set. */
static int nvme_put(struct fs_nvme *disk, struct fs_request *request, enum nvme_op op, bool fua,
		    uint64_t dma)
{
	uint64_t bytes = (uint64_t)request->count * disk->device.block_bytes;
	struct nvme_piece piece = { dma, (uint32_t)bytes };
	struct nvme_request r = { .op = op, .fua = fua, .block = request->block, .piece = &piece,
				  .pieces = 1, .cookie = (uint64_t)request };
	int err = disk->broken;

	if (!err && op != NVME_FLUSH && !range_fits(request->block, request->count,
						    disk->device.blocks))
		err = -EXO_E_RANGE;
	if (!err && bytes > UINT32_MAX)
		err = -EXO_E_ARG;
	if (!err) {
		err = nvme_io_submit(&disk->nvme.io, &r);
		if (err == NVME_SHAPE)
			err = -EXO_E_ARG;
	}
	request->status = err ? err : FS_PENDING;
	disk->out += err == 0;
	return err;
}

/* Where the controller finds a request's buffer: handle is the first byte of the page. */
static uint64_t request_dma(const struct fs_request *request)
{
	return request->handle + (uint64_t)request->data % FS_PAGE_BYTES;
}

/*
 * Put as many as there is room for; one that cannot be put at all ends here, with its status.  How
 * many were dealt with.
 */
static size_t nvme_put_all(struct fs_nvme *disk, struct fs_request *const *request, size_t n)
{
	size_t put = 0;

	for (; put < n; put++) {
		if (request[put]->op != FS_OP_READ)
			request[put]->status = -EXO_E_ARG;
		else if (nvme_put(disk, request[put], NVME_READ, false,
				  request_dma(request[put])) == NVME_FULL)
			break;
	}
	nvme_io_kick(&disk->nvme.io);
	return put;
}

static int nvme_run(struct fs_device *device, struct fs_request *const *request, size_t n)
{
	struct fs_nvme *disk = device->context;
	size_t put = 0;
	int err = 0;

	for (size_t done = 0; done < n;) {
		put += nvme_put_all(disk, request + put, n - put);
		while (done < put && request[done]->status != FS_PENDING)
			done++;
		if (done < n && disk->out)
			nvme_await(disk);
	}
	for (size_t i = 0; i < n && !err; i++)
		err = request[i]->status;
	return err;
}

static size_t nvme_submit(struct fs_device *device, struct fs_request *const *request, size_t n)
{
	struct fs_nvme *disk = device->context;

	return disk->broken ? 0 : nvme_put_all(disk, request, n);
}

static int nvme_poll(struct fs_device *device, bool wait)
{
	struct fs_nvme *disk = device->context;

	if (disk->broken)
		return disk->broken;
	if (nvme_take(disk) || !wait)
		return 0;
	if (!disk->out)
		return -FS_E_IO;
	nvme_await(disk);
	return 0;
}

const struct fs_device_ops fs_nvme_ops = {
	.run = nvme_run,
	.submit = nvme_submit,
	.poll = nvme_poll,
};

/* One request, waited for. */
static int nvme_one(struct fs_nvme *disk, enum nvme_op op, uint64_t block, const void *data,
		    uint32_t bytes, bool fua)
{
	struct fs_request request = { .block = block, .count = bytes / disk->device.block_bytes };
	uint64_t dma = 0;
	int err;

	if (op != NVME_FLUSH) {
		if (!bytes || bytes % disk->device.block_bytes)
			return -EXO_E_ARG;
		dma = fs_nvme_address(disk, data);
		if (!dma)
			return -EXO_E_ARG;
	}
	while ((err = nvme_put(disk, &request, op, fua, dma)) == NVME_FULL)
		nvme_await(disk);
	nvme_io_kick(&disk->nvme.io);
	while (request.status == FS_PENDING)
		nvme_await(disk);
	return request.status;
}

int fs_nvme_read(struct fs_nvme *disk, uint64_t block, void *data, uint32_t bytes)
{
	return nvme_one(disk, NVME_READ, block, data, bytes, false);
}

int fs_nvme_write(struct fs_nvme *disk, uint64_t block, const void *data, uint32_t bytes, bool fua)
{
	return nvme_one(disk, NVME_WRITE, block, data, bytes, fua);
}

int fs_nvme_flush(struct fs_nvme *disk)
{
	return disk->nvme.identity.cache ? nvme_one(disk, NVME_FLUSH, 0, NULL, 0, false) : 0;
}
