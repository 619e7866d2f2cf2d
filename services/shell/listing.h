/* SPDX-License-Identifier: MIT */
/*
 * listing.h - a directory's entries, sorted.
 */
#ifndef SHELL_LISTING_H
#define SHELL_LISTING_H

#include <libfs/dir.h>

struct listing {
	struct fs_dir_entry **entry;
	size_t count, room;
};

/* Read an open directory but . and .., sorted by bytes: 0 or an error (what was read is there). */
int listing_read(struct listing *list, struct fs_dir *dir);
void listing_free(struct listing *list);

#endif
