/* SPDX-License-Identifier: MIT */
/*
 * heap.h - dynamic memory: boundary tags with bins by size, on a run of addresses.
 *
 * Invariant: every block's tag is sealed with its address; a free of what was never handed out,
 * or twice, or of a block whose tag was overwritten is noticed and ends the program with a
 * message.
 */
#ifndef EXOS_HEAP_H
#define EXOS_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* The standard four (C11 7.22.3), on the program's demand-zero heap; 16-byte aligned. */
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *block, size_t bytes);
void free(void *block);

/* Fill what is handed out and given back with junk, to find uses of either; off by default. */
void exos_heap_junk(int on);

/* The engine, for programs that want several heaps. */
struct exos_heap_ops {
	/* A tag or argument is wrong: says so and does not return. */
	void (*broken)(const char *what, const void *block);
	/* The pages [address, address + bytes) hold nothing any more; may be NULL. */
	void (*release)(void *address, size_t bytes);
};

#define EXOS_HEAP_BINS 64u
struct exos_heap_block;
struct exos_heap {
	char *base, *end;       /* addresses it may use */
	char *top;              /* blocks lie below it */
	char *touched;          /* highest top since memory was last released */
	const struct exos_heap_ops *ops;
	uint64_t used_bytes, blocks;    /* handed out now, tags included */
	uint64_t bins_used;     /* bit n: bin n is not empty */
	uint32_t last;          /* size / 16 of the block that ends at top, 0: none */
	int junk;
	struct exos_heap_block *bin[EXOS_HEAP_BINS];
};

/* Memory at base: readable, writable; need not be zero.  At least 64 bytes. */
void exos_heap_init(struct exos_heap *heap, void *base, size_t bytes,
		    const struct exos_heap_ops *ops);
void *exos_heap_alloc(struct exos_heap *heap, size_t bytes);
void *exos_heap_resize(struct exos_heap *heap, void *block, size_t bytes);
void exos_heap_free(struct exos_heap *heap, void *block);
/* Bytes usable in a block. */
size_t exos_heap_size(struct exos_heap *heap, const void *block);
/* Walk all blocks and bins: 0, or -1 after telling ops->broken what is wrong. */
int exos_heap_check(struct exos_heap *heap);

/* The program's own heap. */
struct exos_heap *exos_heap_own(void);

#endif
