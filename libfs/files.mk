# SPDX-License-Identifier: MIT
# files.mk - sources of libfs.a.
libfs-src := \
	libfs/cache.c libfs/cache_read.c libfs/cache_spare.c libfs/device.c libfs/dir.c libfs/disk.c \
	libfs/disk_memory.c libfs/errors.c libfs/evict.c libfs/ext2.c libfs/ext2_dir.c \
	libfs/ext2_file.c libfs/ext2_inode.c libfs/ext2_map.c libfs/ext2_super.c \
	libfs/file.c libfs/fs.c libfs/lookup.c libfs/mount.c libfs/names.c \
	libfs/nodes.c libfs/nvme.c libfs/nvme_open.c libfs/path.c libfs/path_use.c libfs/ring.c \
	libfs/walk.c
