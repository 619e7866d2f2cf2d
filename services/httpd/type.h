/* SPDX-License-Identifier: MIT */
/*
 * type.h - media types of files by the ends of their names.
 */
#ifndef HTTPD_TYPE_H
#define HTTPD_TYPE_H

#include <stddef.h>

/* The media type of a path; application/octet-stream if its end is unknown or it has none. */
const char *type_of(const char *path, size_t bytes);

#endif
