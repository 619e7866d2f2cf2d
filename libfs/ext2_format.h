/* SPDX-License-Identifier: MIT */
/*
 * ext2_format.h - ext2 on the disk: field names as in e2fsprogs' ext2_fs.h, little endian.
 *
 * Only what is read here has a name; the rest is spare.  All of it is hostile until checked.
 */
#ifndef LIBFS_EXT2_FORMAT_H
#define LIBFS_EXT2_FORMAT_H

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the disk is read in place");

#define EXT2_SUPER_OFFSET 1024u         /* bytes from the device's start */
#define EXT2_SUPER_MAGIC  0xef53u
#define EXT2_ROOT_INO     2u
#define EXT2_OLD_FIRST_INO 11u          /* revision 0: fixed */
#define EXT2_OLD_INODE_BYTES 128u
#define EXT2_N_BLOCKS     15u           /* i_block: 12 direct, then 1, 2 and 3 times indirect */
#define EXT2_NDIR_BLOCKS  12u

struct ext2_super {
	uint32_t s_inodes_count, s_blocks_count, s_r_blocks_count, s_free_blocks_count;
	uint32_t s_free_inodes_count, s_first_data_block, s_log_block_size, s_log_cluster_size;
	uint32_t s_blocks_per_group, s_clusters_per_group, s_inodes_per_group, s_mtime;
	uint32_t s_wtime;
	uint16_t s_mnt_count, s_max_mnt_count, s_magic, s_state, s_errors, s_minor_rev_level;
	uint32_t s_lastcheck, s_checkinterval, s_creator_os, s_rev_level;
	uint16_t s_def_resuid, s_def_resgid;
	uint32_t s_first_ino;
	uint16_t s_inode_size, s_block_group_nr;
	uint32_t s_feature_compat, s_feature_incompat, s_feature_ro_compat;
	uint8_t  s_uuid[16];
	char     s_volume_name[16];
	uint8_t  spare[1024 - 136];
};
_Static_assert(sizeof(struct ext2_super) == 1024, "superblock");
_Static_assert(offsetof(struct ext2_super, s_magic) == 56, "superblock");
_Static_assert(offsetof(struct ext2_super, s_feature_incompat) == 96, "superblock");
_Static_assert(offsetof(struct ext2_super, s_volume_name) == 120, "superblock");

#define EXT2_VALID_FS 1u                /* s_state: unmounted cleanly */
#define EXT2_ERROR_FS 2u                /* s_state: errors were seen */

/* s_feature_incompat, with the names that mke2fs -O and dumpe2fs use. */
#define EXT2_INCOMPATS(X)                                                              \
	X(0x00001, "compression") X(0x00002, "filetype") X(0x00004, "needs_recovery")  \
	X(0x00008, "journal_dev") X(0x00010, "meta_bg") X(0x00040, "extent")           \
	X(0x00080, "64bit") X(0x00100, "mmp") X(0x00200, "flex_bg")                    \
	X(0x00400, "ea_inode") X(0x01000, "dirdata") X(0x02000, "metadata_csum_seed")  \
	X(0x04000, "large_dir") X(0x08000, "inline_data") X(0x10000, "encrypt")        \
	X(0x20000, "casefold")
#define EXT2_INCOMPAT_FILETYPE 0x00002u
#define EXT2_INCOMPAT_RECOVER 0x00004u
#define EXT2_RO_COMPAT_HUGE_FILE 0x0008u

struct ext2_group {
	uint32_t bg_block_bitmap, bg_inode_bitmap, bg_inode_table;
	uint8_t  spare[20];
};
_Static_assert(sizeof(struct ext2_group) == 32, "group descriptor");

struct ext2_inode {
	uint16_t i_mode, i_uid;
	uint32_t i_size, i_atime, i_ctime, i_mtime, i_dtime;
	uint16_t i_gid, i_links_count;
	uint32_t i_blocks, i_flags, i_osd1;
	uint32_t i_block[EXT2_N_BLOCKS];
	uint32_t i_generation, i_file_acl, i_size_high, i_faddr;
	uint16_t l_i_blocks_hi, l_i_file_acl_high, l_i_uid_high, l_i_gid_high;
	uint32_t l_i_reserved2;
	/* Inodes of more than 128 bytes; each counts only if i_extra_isize reaches it. */
	uint16_t i_extra_isize, i_checksum_hi;
	uint32_t i_ctime_extra, i_mtime_extra, i_atime_extra;
};
_Static_assert(offsetof(struct ext2_inode, i_block) == 40, "inode");
_Static_assert(offsetof(struct ext2_inode, i_extra_isize) == EXT2_OLD_INODE_BYTES, "inode");
_Static_assert(sizeof(struct ext2_inode) == 144, "inode");

/* i_mode: type in the upper four bits, as in POSIX. */
#define EXT2_S_IFMT   0xf000u
#define EXT2_S_IFIFO  0x1000u
#define EXT2_S_IFCHR  0x2000u
#define EXT2_S_IFDIR  0x4000u
#define EXT2_S_IFBLK  0x6000u
#define EXT2_S_IFREG  0x8000u
#define EXT2_S_IFLNK  0xa000u
#define EXT2_S_IFSOCK 0xc000u

/* i_flags under which i_block or the data mean something else than in ext2. */
#define EXT2_STRANGE_FLAGS(X)                                                \
	X(0x00000200, "compressed blocks") X(0x00000800, "encryption")       \
	X(0x00080000, "extents") X(0x00200000, "a large extended attribute") \
	X(0x10000000, "inline data")
#define EXT2_HUGE_FILE_FL 0x00040000u   /* i_blocks counts file-system blocks */

struct ext2_dirent {
	uint32_t inode;         /* 0: not in use */
	uint16_t rec_len;       /* to the next entry: a multiple of 4 */
	uint8_t  name_len;
	uint8_t  file_type;     /* with filetype; else the upper half of name_len */
	char     name[];
};
#define EXT2_DIRENT_BYTES 8u
_Static_assert(sizeof(struct ext2_dirent) == EXT2_DIRENT_BYTES, "directory entry");

#endif
