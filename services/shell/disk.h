/* SPDX-License-Identifier: MIT */
/*
 * disk.h - the shell's disks and what is mounted of them.
 */
#ifndef SHELL_DISK_H
#define SHELL_DISK_H

#include <libfs/path.h>

/*
 * Mount what was granted: the first disk with a known file system at /, others at /diskN.  Says
 * once, in words, what cannot be mounted and why.
 */
void disk_mount_all(void);

/* The mount table; empty without disks. */
extern struct fs_mount_table disk_mounts;

/* Say "COMMAND: PATH: why" for an error of libfs, with the file system's own words; returns 1. */
int disk_error(const char *command, const char *path, int64_t error);

#endif
