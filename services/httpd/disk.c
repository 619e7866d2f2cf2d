/* SPDX-License-Identifier: MIT */
/*
 * disk.c - opening the granted disks until one can be mounted.
 */
#include "disk.h"

#include <base/format.h>
#include <base/string.h>
#include <exos/start.h>
#include <libfs/disk.h>

static struct fs_disk disk;
static struct fs_mount mount;

static int try_mount(struct site *site, uint64_t cache_bytes, const char **why)
{
	struct fs_mount_options options = {
		.device = &disk.device, .memory = &fs_disk_memory, .cache_bytes = cache_bytes,
	};
	int error = fs_mount_add(&site->table, &mount, "/", &options);

	*why = error < 0 && mount.fs.why[0] ? mount.fs.why : fs_error_text(error);
	if (error < 0)
		fs_disk_close(&disk);
	return error;
}

/* The list of disks is not granted: the starter tells the size of a disk's blocks as a number. */
static uint32_t block_bytes(uint32_t unit)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("block-bytes", n)) != NULL; n++)
		if (g->unit == unit)
			return (uint32_t)g->lo;
	return 512;
}

static bool disk_try(struct site *site, const struct exos_grant *g, uint64_t cache_bytes)
{
	const char *why;
	int error = fs_disk_open(&disk, g->slot, g->lo, g->hi, block_bytes(g->unit));

	why = fs_error_text(error);
	if (error == 0)
		error = try_mount(site, cache_bytes, &why);
	if (error < 0)
		format_buffer(site->why, sizeof(site->why), "Disk %u cannot be served: %s.",
			      g->unit, why);
	return error == 0;
}

void disk_mount(struct site *site, uint64_t cache_bytes)
{
	const struct exos_grant *g;

	fs_mount_table_init(&site->table);
	string_copy(site->why, "There is no disk in this machine.", sizeof(site->why));
	for (unsigned n = 0; !site->mounted && (g = exos_grant("disk", n)) != NULL; n++)
		site->mounted = disk_try(site, g, cache_bytes);
	if (site->mounted)
		site->cache = &mount.fs.cache;
}
