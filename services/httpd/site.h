/* SPDX-License-Identifier: MIT */
/*
 * site.h - what is served: the disk's file system, the pages made of its directories, and how much
 * of the block cache may be out on the wire.
 */
#ifndef HTTPD_SITE_H
#define HTTPD_SITE_H

#include <libfs/path.h>

#include "path.h"

#define SITE_WHY_BYTES 240u

struct page;

struct site {
	struct fs_mount_table table;
	bool     mounted;               /* something is mounted at / */
	char     why[SITE_WHY_BYTES];   /* if not: why not, in words */
	struct fs_cache *cache;         /* of what is mounted; NULL if nothing is */
	uint32_t conns;                 /* server.c: connections that are open */
	uint32_t lent;                  /* buffers of it that connections hold */
	struct page *pages;             /* index.c: the pages in memory, latest used first */
	size_t   page_bytes;            /* of all of them */
	size_t   page_most;             /* limit of that */
	struct path path;               /* answer.c: of the request in hand */
	/* Counted. */
	uint64_t requests;
	uint64_t lent_bytes;            /* of bodies, handed out in place */
	uint64_t copied_bytes;          /* of heads and bodies, copied */
};

#endif
