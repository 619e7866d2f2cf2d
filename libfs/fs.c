/* SPDX-License-Identifier: MIT */
/*
 * fs.c - what all file systems share: refusing in words, and the list of those we know.
 */
#include <base/format.h>
#include <libfs/ext2.h>
#include <libfs/mount.h>

const struct fs_ops *const fs_types_known[] = { &ext2_ops, NULL };

int fs_refuse(struct fs *fs, int error, const char *format, ...)
{
	va_list args;
	int used = format_buffer(fs->why, sizeof fs->why, "%s: ", fs->ops ? fs->ops->name : "fs");

	va_start(args, format);
	format_buffer_v(fs->why + used, sizeof fs->why - (size_t)used, format, args);
	va_end(args);
	return error;
}
