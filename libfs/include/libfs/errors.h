/* SPDX-License-Identifier: MIT */
/*
 * errors.h - the errors of file systems, beside the kernel's.
 *
 * Functions of this library return 0 or a positive result on success, else -FS_E_* or -EXO_E_*.
 * The numbers start at 64, so that the two lists never meet.  No errno here.
 */
#ifndef LIBFS_ERRORS_H
#define LIBFS_ERRORS_H

#include <exo/errors.h>

#define FS_ERRORS(X)                                                            \
	X(NOENT,       64, "no such file or directory")                         \
	X(NOTDIR,      65, "not a directory")                                   \
	X(ISDIR,       66, "is a directory")                                    \
	X(NOTFILE,     67, "not a regular file")                                \
	X(NOTLINK,     68, "not a symbolic link")                               \
	X(LOOP,        69, "too many symbolic links on the way")                \
	X(NAMETOOLONG, 70, "a name or path is too long")                        \
	X(CORRUPT,     71, "the file system is damaged: what it says cannot be") \
	X(UNSUPPORTED, 72, "the file system uses a feature this library does not know") \
	X(NOTFS,       73, "no file system of a known kind is there")           \
	X(IO,          74, "the device could not read these blocks")            \
	X(NOBUF,       75, "every buffer of the block cache is lent out")       \
	X(NOMEM,       76, "out of memory")                                     \
	X(OPEN,        77, "files are still open there")                        \
	X(EXISTS,      78, "something is mounted there already")                \
	X(RDONLY,      79, "mounted read-only")

#define FS_ERROR_ENUM(name, number, text) FS_E_##name = number,
enum fs_error { FS_ERRORS(FS_ERROR_ENUM) };
#undef FS_ERROR_ENUM

/*
 * The text of an error, the kernel's included.
 * error: negative as returned, or its positive number; any other value gives "unknown error".
 */
const char *fs_error_text(int error);

#endif
