/* SPDX-License-Identifier: MIT */
/*
 * sort.h - sorting in place.
 */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Sort `count` pointers so that none is behind one that comes before it.  Never quadratic, whatever
 * they point to; equal ones end in any order.  `before` says whether a comes before b.  (Heapsort:
 * J. W. J. Williams, Algorithm 232, CACM 7(6), 1964.)
 */
void sort_pointers(void **at, size_t count, bool (*before)(const void *a, const void *b));

#endif
