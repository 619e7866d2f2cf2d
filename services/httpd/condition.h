/* SPDX-License-Identifier: MIT */
/*
 * condition.h - conditional requests (RFC 9110 13): what the client has already.
 */
#ifndef HTTPD_CONDITION_H
#define HTTPD_CONDITION_H

#include <libfs/fs.h>
#include <services/http.h>

#define CONDITION_TAG_BYTES 80u

/* What a file is known by: both change when it does. */
struct condition {
	int64_t modified;       /* seconds since 1970 */
	char    tag[CONDITION_TAG_BYTES];       /* a strong entity tag, with its quotes */
	char    date[HTTP_DATE_BYTES];
};

void condition_make(struct condition *condition, const struct fs_attr *attr);

/* 0: answer it; 304: the client has it; 412: it is not what the client speaks of. */
int condition_check(const struct condition *condition, struct http_text fields);

/* Does a Range field count: is there no If-Range, or does it name this very file? */
bool condition_range(const struct condition *condition, struct http_text fields);

#endif
