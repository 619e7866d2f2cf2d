/* SPDX-License-Identifier: MIT */
/*
 * index.h - directories as HTML pages, made once and shared by all who read them.
 *
 * The disk does not change, so a page is good for ever; pages that nobody reads are forgotten when
 * memory for others is wanted.  Of a directory whose entries take more than a quarter of the memory
 * for pages only a part is shown; the page says so.
 */
#ifndef HTTPD_INDEX_H
#define HTTPD_INDEX_H

#include "site.h"
#include "text.h"

struct page {
	struct page *next;
	uint32_t refs;          /* readers */
	uint32_t path_bytes;
	struct text text;
	char path[];            /* of the directory */
};

/*
 * Get the page of a directory, whose path is site->path and ends in '/': it is the caller's until
 * index_put.  -FS_E_NOMEM if memory for pages is all in readers' hands, or libfs' error.
 */
int index_get(struct site *site, const struct fs_node *dir, struct page **out);
void index_put(struct page *page);

#endif
