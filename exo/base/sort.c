/* SPDX-License-Identifier: MIT */
/*
 * sort.c - sorting in place, without memory of its own.
 */
#include <base/sort.h>

typedef bool before_function(const void *a, const void *b);

/* Let entry i sink to its place in the heap of the first n entries. */
static void heap_sink(void **at, size_t i, size_t n, before_function *before)
{
	void *e = at[i];

	for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
		if (child + 1 < n && before(at[child], at[child + 1]))
			child++;
		if (!before(e, at[child]))
			break;
		at[i] = at[child];
		i = child;
	}
	at[i] = e;
}

void sort_pointers(void **at, size_t count, before_function *before)
{
	for (size_t i = count / 2; i-- > 0;)
		heap_sink(at, i, count, before);
	for (size_t n = count; n-- > 1;) {
		void *last = at[n];

		at[n] = at[0];
		at[0] = last;
		heap_sink(at, 0, n, before);
	}
}
