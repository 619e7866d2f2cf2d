/* SPDX-License-Identifier: MIT */
/*
 * disk.h - finding the file system that is served.
 */
#ifndef HTTPD_DISK_H
#define HTTPD_DISK_H

#include "site.h"

/*
 * Mount the first granted disk that carries a known file system at /; else site->why says why
 * there is none.  cache_bytes: for its block cache.
 */
void disk_mount(struct site *site, uint64_t cache_bytes);

#endif
