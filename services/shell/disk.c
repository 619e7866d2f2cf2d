/* SPDX-License-Identifier: MIT */
/*
 * disk.c - mounting the granted disks.
 */
#include "disk.h"

#include <base/format.h>
#include <base/string.h>
#include <exo/machine.h>
#include <exos/console.h>
#include <exos/frame.h>
#include <exos/heap.h>
#include <exos/start.h>
#include <libfs/disk.h>

#include "shell.h"

struct shell_disk {
	struct fs_disk disk;
	struct fs_mount mount;
};

struct fs_mount_table disk_mounts;

/*
 * A part of the free memory, from 256 KiB to 32 MiB, may hold blocks.  It is given up when memory
 * is short, but what the cache needs to know about it is not: so it is a small part.
 */
static uint64_t cache_bytes(void)
{
	struct exos_frame_stats stats;
	uint64_t bytes;

	exos_frame_stats(&stats);
	bytes = stats.free / 64 * EXO_PAGE_SIZE;
	if (bytes < 256u << 10)
		return 256u << 10;
	return bytes < 32u << 20 ? bytes : 32u << 20;
}

static void mount_path(const struct exos_grant *g, char *path, size_t bytes)
{
	if (fs_mount_at(&disk_mounts, "/", 1) == NULL)
		string_copy(path, "/", bytes);
	else
		format_buffer(path, bytes, "/disk%u", g->unit);
}

/* Look for a file system on an open disk: true if it is mounted now. */
static bool disk_mount(struct shell_disk *d, const struct exos_grant *g)
{
	struct fs_mount_options options = {
		.device = &d->disk.device, .memory = &fs_disk_memory, .cache_bytes = cache_bytes(),
	};
	char path[FS_MOUNT_PATH];
	int error;

	mount_path(g, path, sizeof(path));
	error = fs_mount_add(&disk_mounts, &d->mount, path, &options);
	if (error < 0) {
		printf("disk %u cannot be mounted: %s\n", g->unit,
		       d->mount.fs.why[0] ? d->mount.fs.why : fs_error_text(error));
		return false;
	}
	printf("disk %u is mounted at %s: %s, read-only\n", g->unit, path, d->mount.fs.ops->name);
	return true;
}

static void disk_open(const struct exos_grant *g)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_disk_info *info = exos_machine_at(m->disks_off);
	struct shell_disk *d = calloc(1, sizeof(*d));
	int error;

	if (d == NULL || g->unit >= m->disks) {
		printf("disk %u: no memory to use it, or it is not there\n", g->unit);
		free(d);
		return;
	}
	error = fs_disk_open(&d->disk, g->slot, g->lo, g->hi, info[g->unit].block_bytes);
	if (error < 0) {
		printf("disk %u cannot be used: %s\n", g->unit, fs_error_text(error));
		free(d);
	} else if (!disk_mount(d, g)) {
		fs_disk_close(&d->disk);
		free(d);
	}
}

void disk_mount_all(void)
{
	const struct exos_grant *g;

	fs_mount_table_init(&disk_mounts);
	for (unsigned n = 0; (g = exos_grant("disk", n)) != NULL; n++)
		disk_open(g);
	if (exos_grant("disk", 0) == NULL)
		printf("there is no disk: ls, cat, hexdump and hash have nothing to read\n");
}

int disk_error(const char *command, const char *path, int64_t error)
{
	const char *why = fs_path_why(&disk_mounts);
	bool own_words = error == -FS_E_CORRUPT || error == -FS_E_UNSUPPORTED;

	printf("%s: ", command);
	term_safe(path, strnlen(path, FS_PATH_MAX));
	if (disk_mounts.first == NULL)
		printf(": no disk is mounted\n");
	else
		printf(": %s%s%s\n", fs_error_text((int)error), own_words && why[0] ? ": " : "",
		       own_words ? why : "");
	return 1;
}
