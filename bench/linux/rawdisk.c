/* SPDX-License-Identifier: MIT */
/*
 * rawdisk.c - the disk itself, as system.h wants it, on Linux: O_DIRECT, and io_submit for several.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

static int file = -1;
static char *data;
static aio_context_t context;

void system_disk_end(void)
{
	if (context)
		syscall(SYS_io_destroy, context);
	if (data)
		system_pages_end(data, SYSTEM_DISK_MOST);
	if (file >= 0)
		close(file);
	context = 0;
	data = NULL;
	file = -1;
}

int system_disk_start(void)
{
	file = open("/dev/vda", O_RDWR | O_DIRECT);
	data = system_pages(SYSTEM_DISK_MOST);
	if (file < 0 || !data || syscall(SYS_io_setup, SYSTEM_DISK_MOST, &context))
		return -1;
	return 0;
}

static int many_do(uint16_t command, const uint32_t *page, uint32_t count)
{
	static struct iocb request[SYSTEM_DISK_MOST];
	static struct iocb *list[SYSTEM_DISK_MOST];
	static struct io_event done[SYSTEM_DISK_MOST];

	for (uint32_t i = 0; i < count; i++) {
		request[i] = (struct iocb){
			.aio_lio_opcode = command, .aio_fildes = (uint32_t)file,
			.aio_buf = (uintptr_t)(data + (size_t)i * SYSTEM_PAGE),
			.aio_nbytes = SYSTEM_PAGE, .aio_offset = (int64_t)page[i] * SYSTEM_PAGE,
		};
		list[i] = &request[i];
	}
	if (syscall(SYS_io_submit, context, count, list) != count ||
	    syscall(SYS_io_getevents, context, count, count, done, NULL) != count)
		return -1;
	for (uint32_t i = 0; i < count; i++)
		if (done[i].res != SYSTEM_PAGE)
			return -1;
	return 0;
}

int system_disk_read(const uint32_t *page, uint32_t count, bool together)
{
	size_t bytes = (size_t)count * SYSTEM_PAGE;

	if (!together && count > 1)
		return many_do(IOCB_CMD_PREAD, page, count);
	return pread(file, data, bytes, (off_t)page[0] * SYSTEM_PAGE) == (ssize_t)bytes ? 0 : -1;
}

int system_disk_write(const uint32_t *page, uint32_t count, bool together)
{
	size_t bytes = (size_t)count * SYSTEM_PAGE;

	if (!together && count > 1)
		return many_do(IOCB_CMD_PWRITE, page, count);
	return pwrite(file, data, bytes, (off_t)page[0] * SYSTEM_PAGE) == (ssize_t)bytes ? 0 : -1;
}

uint8_t *system_disk_data(uint32_t n)
{
	return (uint8_t *)data + (size_t)n * SYSTEM_PAGE;
}
