/* SPDX-License-Identifier: MIT */
/*
 * exo.c - system.h for exo: libexos' ways of doing what rows for both systems ask for.
 */
#include <base/util.h>
#include <exos/archive.h>
#include <exos/call.h>
#include <exos/frame.h>
#include <exos/pager.h>
#include <exos/space.h>
#include <exos/spawn.h>
#include <exos/start.h>
#include <exos/upcall.h>
#include <libfs/disk.h>
#include <libfs/file.h>

#include "bench.h"
#include "system.h"

#define READ_WRITE (EXO_R_READ | EXO_R_WRITE)
#define CACHE_BYTES (16ul << 20)
#define SMALL_FRAMES 64u        /* that the small program is given in all */

_Static_assert(SYSTEM_PAGE == EXO_PAGE_SIZE, "system.h");

char *system_pages(uint32_t pages)
{
	uint64_t pfn;
	exo_slot claim;
	char *at;

	if (exos_frame_alloc(pages, &pfn, &claim) < 0)
		return NULL;
	at = exos_space_window(claim, pfn, pages, READ_WRITE, NULL);
	if (at)
		memset(at, 0, (size_t)pages * EXO_PAGE_SIZE);
	else
		exos_frame_free(pfn, pages);
	return at;
}

void system_pages_end(char *at, uint32_t pages)
{
	uint64_t pfn = exos_space_frame((uintptr_t)at);

	exos_space_window_end(at, pages);
	exos_frame_free(pfn, pages);
}

int system_protect(char *at, uint32_t pages, bool write)
{
	struct exo_map_op op = {
		.va = (uintptr_t)at, .pages = pages, .op = EXO_PROTECT,
		.prot = write ? READ_WRITE : EXO_R_READ,
	};

	return exo_space_update(exos_space_own.slot, (uintptr_t)&op, 1) == 1 ? 0 : -1;
}

#define DIRTY 0x40ul            /* of a page-table entry (SDM 3A 4.5) */

/* An entry is clean when it is made. */
bool system_clean(char *at, uint32_t pages)
{
	uint64_t pfn = exos_space_frame((uintptr_t)at);

	return exos_space_unmap(&exos_space_own, (uintptr_t)at, pages) == 0 &&
	       exos_space_map(&exos_space_own, (uintptr_t)at, exos_frame_claim(pfn), pfn, pages,
			      READ_WRITE) == 0;
}

bool system_dirty(char *at)
{
	return exos_space_entry((uintptr_t)at, NULL) & DIRTY;
}

static int store_fault(struct exo_context *context, void *argument)
{
	void (*handler)(char *) = (void (*)(char *))argument;

	if ((context->error & (EXOS_FAULT_PRESENT | EXOS_FAULT_WRITE)) !=
	    (EXOS_FAULT_PRESENT | EXOS_FAULT_WRITE))
		return exos_pager_handle(context, NULL);
	handler((char *)round_down(context->cr2, EXO_PAGE_SIZE));
	return 0;
}

void system_store_handle(void (*handler)(char *at))
{
	exos_upcall_handle(EXO_TRAP_PAGE_FAULT, handler ? store_fault : NULL, (void *)handler);
}

static struct fs_mount_table table;

static struct fs_mount_table *mounts_make(void)
{
	static struct fs_disk disk;
	static struct fs_mount mount;
	const struct exos_grant *g = exos_grant("disk", 0);
	const struct exo_disk_info *info = exos_machine_at(exos_machine()->disks_off);
	struct fs_mount_options options = {
		.device = &disk.device, .memory = &fs_disk_memory, .cache_bytes = CACHE_BYTES,
	};

	fs_mount_table_init(&table);
	if (!g || fs_disk_open(&disk, g->slot, g->lo, g->hi, info[g->unit].block_bytes) < 0)
		return NULL;
	if (fs_mount_add(&table, &mount, "/", &options) < 0) {
		printf("bench: the disk could not be mounted: %s\n", mount.fs.why);
		fs_disk_close(&disk);
		return NULL;
	}
	return &table;
}

/* The disk is mounted when the first file of it is opened. */
struct fs_mount_table *bench_mounts(void)
{
	return table.first ? &table : mounts_make();
}

static struct fs_file opened;

int system_open(const char *path)
{
	struct fs_mount_table *mounts = bench_mounts();

	return mounts && fs_file_open(mounts, path, &opened) == 0 ? 0 : -1;
}

void system_close(int file)
{
	(void)file;
	fs_file_close(&opened);
}

long system_read_at(int file, uint64_t offset, void *to, size_t bytes)
{
	(void)file;
	return fs_file_read_at(&opened, offset, to, bytes);
}

int system_spawn_wait(void)
{
	static struct exos_archive archive;
	static struct exos_child child;
	static struct exos_spawn request;
	static const char *const argv[] = { "small" };
	int code = -1;

	if (!request.file &&
	    (exos_archive_open(&archive) ||
	     exos_archive_find(&archive, "small", &request.file, &request.file_bytes)))
		return -1;
	request.argc = 1;
	request.argv = argv;
	request.frames = SMALL_FRAMES;
	if (exos_spawn(&request, &child) < 0) {
		printf("bench: small: %s\n", child.why);
		return -1;
	}
	while (exos_child_runs(&child))
		exo_env_yield(child.env);
	if (child.page->stop_reason == EXO_STOP_EXIT)
		code = (int)child.page->exit_code;
	exos_child_end(&child);
	return code;
}
