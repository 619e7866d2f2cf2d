/* SPDX-License-Identifier: MIT */
/*
 * range.h - which bytes of a file are asked for (RFC 9110 14.2).
 */
#ifndef HTTPD_RANGE_H
#define HTTPD_RANGE_H

#include <services/http.h>

struct range {
	uint64_t first, end;    /* [first, end) */
};

enum range_kind {
	RANGE_WHOLE,            /* another unit, several ranges, or malformed: passed over */
	RANGE_PART,             /* *out, not empty */
	RANGE_NONE,             /* no byte of it is there: 416 */
};

/* Read the value of a Range field for a file of `size` bytes. */
enum range_kind range_read(struct http_text value, uint64_t size, struct range *out);

#endif
