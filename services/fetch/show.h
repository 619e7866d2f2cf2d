/* SPDX-License-Identifier: MIT */
/*
 * show.h - a body on the console: text as it comes, of everything else its size and checksum.
 */
#ifndef FETCH_SHOW_H
#define FETCH_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* quiet: print no text either. */
void show_begin(bool quiet);
void show_body(const void *data, size_t bytes);
/* End: "SIZE bytes, XXH64 SUM". */
void show_end(void);

#endif
