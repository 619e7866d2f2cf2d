/* SPDX-License-Identifier: MIT */
/*
 * path.h - from a request target to a path of the disk.
 */
#ifndef HTTPD_PATH_H
#define HTTPD_PATH_H

#include <libfs/path.h>
#include <services/http.h>

struct path {
	size_t bytes;           /* without the NUL */
	bool   slash;           /* it ends in '/': a directory is meant */
	char   at[FS_PATH_MAX]; /* begins with '/'; no empty, "." or ".." segment; NUL behind it */
};

/*
 * Decode the path of a target (origin or absolute form, query dropped): %xx once, then empty and
 * "." segments go, ".." takes its predecessor along and stays in the root.  0, or the status 400
 * (another form, a bad %xx, a NUL) or 414 (no path of the disk is so long).
 */
int path_decode(struct http_text target, struct path *out);

#endif
