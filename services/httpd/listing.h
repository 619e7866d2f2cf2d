/* SPDX-License-Identifier: MIT */
/*
 * listing.h - the entries of a directory as an index shows them: directories first, then by name.
 */
#ifndef HTTPD_LISTING_H
#define HTTPD_LISTING_H

#include "site.h"

struct listing_entry {
	uint64_t size;          /* of a file, bytes */
	int64_t  modified;      /* seconds since 1970 */
	uint8_t  type;          /* enum fs_type of what it leads to; FS_NONE: nowhere */
	uint8_t  link;          /* it is a symbolic link */
	uint8_t  name_bytes;
	char     name[];        /* ended with NUL */
};
_Static_assert(FS_NAME_MAX <= UINT8_MAX, "name_bytes");

struct listing {
	struct listing_entry **entry;
	size_t count, room;
	size_t bytes;           /* of memory that the entries take */
	size_t left_out;        /* entries beyond the limit */
};

/*
 * Read a directory whose path is site->path, without "." and "..", into at most `most` bytes: 0, or
 * an error.  What is in *out is to be freed in any case.
 */
int listing_read(struct site *site, const struct fs_node *dir, size_t most, struct listing *out);
void listing_free(struct listing *listing);

#endif
