/* SPDX-License-Identifier: MIT */
/*
 * mount.c - the mount table.
 *
 * Invariant: see mount.h.  Walking paths is path.c's.
 */
#include <base/string.h>
#include <libfs/mount.h>

#include "lookup.h"

void fs_mount_table_init(struct fs_mount_table *table)
{
	memset(table, 0, sizeof *table);
}

/* Is [name, name + bytes) a name a canonical path may have? */
static bool mount_name_good(const char *name, size_t bytes)
{
	if (bytes == 0 || bytes > FS_NAME_MAX)
		return false;
	return name[0] != '.' || (bytes != 1 && !(bytes == 2 && name[1] == '.'));
}

/* Length of a canonical path without its last '/' (so 0 for "/"), or an error. */
static int mount_path_check(const char *path)
{
	size_t bytes = strnlen(path, FS_MOUNT_PATH);
	const char *at = path, *end = path + bytes;

	if (bytes >= FS_MOUNT_PATH)
		return -FS_E_NAMETOOLONG;
	if (path[0] != '/')
		return -EXO_E_ARG;
	if (bytes == 1)
		return 0;
	while (at < end) {
		const char *name = at + 1;
		const char *slash = memchr(name, '/', (size_t)(end - name));

		at = slash ? slash : end;
		if (!mount_name_good(name, (size_t)(at - name)))
			return -EXO_E_ARG;
	}
	return (int)bytes;
}

struct fs_mount *fs_mount_at(struct fs_mount_table *table, const char *path, size_t bytes)
{
	if (bytes == 1 && path[0] == '/')
		bytes = 0;
	for (struct fs_mount *m = table->first; m; m = m->next)
		if (m->path_bytes == bytes && memcmp(m->path, path, bytes) == 0)
			return m;
	return NULL;
}

struct fs_mount *fs_mount_find(struct fs_mount_table *table, const char *path, size_t bytes)
{
	struct fs_mount *best = NULL;

	for (struct fs_mount *m = table->first; m; m = m->next) {
		if (m->path_bytes > bytes || memcmp(m->path, path, m->path_bytes) != 0)
			continue;
		if (m->path_bytes < bytes && path[m->path_bytes] != '/')
			continue;
		if (!best || m->path_bytes > best->path_bytes)
			best = m;
	}
	return best;
}

/* Let each type look at the device until one knows it. */
static int mount_try(struct fs *fs, const struct fs_ops *const *types)
{
	for (; *types; types++) {
		int err;

		fs->ops = *types;
		err = fs->ops->mount(fs);
		if (err != -FS_E_NOTFS)
			return err;
	}
	fs->ops = NULL;
	return fs_refuse(fs, -FS_E_NOTFS,
			 "no file system of a known kind (ext2) is on this device");
}

int fs_mount_add(struct fs_mount_table *table, struct fs_mount *mount, const char *path,
		 const struct fs_mount_options *options)
{
	const struct fs_ops *const *types = options->types ? options->types : fs_types_known;
	int bytes = mount_path_check(path), err;

	memset(mount, 0, sizeof *mount);
	if (bytes < 0)
		return fs_refuse(&mount->fs, bytes,
				 "a mount path is like /a/b, without . or .. or // in it");
	if (fs_mount_at(table, path, (size_t)bytes))
		return fs_refuse(&mount->fs, -FS_E_EXISTS, "something is mounted at %s", path);
	mount->fs.device = options->device;
	mount->fs.memory = options->memory;
	mount->fs.evict = options->evict;
	mount->fs.cache.evict_context = options->evict_context;
	mount->fs.cache_bytes = options->cache_bytes ? options->cache_bytes : FS_CACHE_BYTES;
	mount->path_bytes = (uint32_t)bytes;
	memcpy(mount->path, path, (size_t)bytes);
	err = mount_try(&mount->fs, types);
	if (err < 0) {
		if (!mount->fs.why[0])
			fs_refuse(&mount->fs, err, "%s", fs_error_text(err));
		return err;
	}
	lookup_init(&mount->fs, options->table_bytes ? options->table_bytes
						     : mount->fs.cache_bytes / FS_TABLE_SHARE);
	mount->next = table->first;
	table->first = mount;
	if (mount->path_bytes == 0)
		table->root = mount;
	else
		table->below++;
	return 0;
}

int fs_mount_remove(struct fs_mount_table *table, const char *path)
{
	struct fs_mount *m = fs_mount_at(table, path, strnlen(path, FS_MOUNT_PATH));
	struct fs_mount **link = &table->first;
	int err;

	if (!m)
		return -FS_E_NOENT;
	if (m->fs.open)
		return -FS_E_OPEN;
	err = m->fs.ops->unmount(&m->fs);
	if (err < 0)
		return err;
	lookup_end(&m->fs);
	while (*link != m)
		link = &(*link)->next;
	*link = m->next;
	if (m == table->root)
		table->root = NULL;
	else
		table->below--;
	return 0;
}
