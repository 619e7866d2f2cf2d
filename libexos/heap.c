/* SPDX-License-Identifier: MIT */
/*
 * heap.c - boundary tags: blocks side by side from base to top, free ones in bins by size.
 *
 * A block starts with its tag: size and state, the size of the block below it, and a seal, which
 * is a mix of both with the tag's address.  Free blocks carry two links behind the tag.  Behind
 * `top` nothing was ever touched, or it was released.
 *
 * Invariant: no two free blocks touch, none touches top; every free block is in the bin of its
 * size.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/heap.h>
#include <stdbool.h>

#define ALIGN   16u
#define USED    1ul
#define JUNK_NEW  0xa5
#define JUNK_FREE 0xdd
#define RELEASE (64u * 4096u)   /* bytes above top worth giving back */

struct exos_heap_block {
	uint64_t size;          /* bytes, tag included, a multiple of 16; USED */
	uint32_t below;         /* size / 16 of the block below, 0: none */
	uint32_t seal;
	struct exos_heap_block *next, *prev;    /* in a bin, while free */
};
#define TAG     16u             /* bytes before what malloc returns */
#define LEAST   sizeof(struct exos_heap_block)
#define MOST    (1ul << 35)     /* so that `below` holds every size */

typedef struct exos_heap_block block;

static uint32_t seal_of(const block *b)
{
	uint64_t x = (uintptr_t)b ^ b->size * 0x9e3779b97f4a7c15ul ^ (uint64_t)b->below << 32;

	x *= 0xd6e8feb86659fd93ul;
	return (uint32_t)(x >> 32);
}

static uint64_t size_of(const block *b)
{
	return b->size & ~(uint64_t)USED;
}

static void tag_set(block *b, uint64_t size, uint64_t state, uint32_t below)
{
	b->size = size | state;
	b->below = below;
	b->seal = seal_of(b);
}

/* The next block above, or NULL at top. */
static block *above(const struct exos_heap *heap, const block *b)
{
	char *next = (char *)b + size_of(b);

	return next < heap->top ? (block *)(void *)next : NULL;
}

static block *below(const block *b)
{
	return b->below ? (block *)(void *)((char *)b - (uint64_t)b->below * ALIGN) : NULL;
}

/* Four bins a power of two: bin n holds sizes from bin_size(n) up to that of the next. */
static unsigned bin_of(uint64_t size)
{
	unsigned log = 63u - (unsigned)__builtin_clzll(size);
	unsigned bin = (log - 5) * 4 + (unsigned)(size >> (log - 2) & 3);

	return bin < EXOS_HEAP_BINS ? bin : EXOS_HEAP_BINS - 1;
}

static void bin_insert(struct exos_heap *heap, block *b)
{
	unsigned n = bin_of(size_of(b));

	b->prev = NULL;
	b->next = heap->bin[n];
	if (b->next)
		b->next->prev = b;
	heap->bin[n] = b;
	heap->bins_used |= 1ul << n;
}

static void bin_remove(struct exos_heap *heap, block *b)
{
	unsigned n = bin_of(size_of(b));

	if (b->next)
		b->next->prev = b->prev;
	if (b->prev)
		b->prev->next = b->next;
	else
		heap->bin[n] = b->next;
	if (!heap->bin[n])
		heap->bins_used &= ~(1ul << n);
}

void exos_heap_init(struct exos_heap *heap, void *base, size_t bytes,
		    const struct exos_heap_ops *ops)
{
	uint64_t lo = round_up((uintptr_t)base, ALIGN);
	uint64_t hi = round_down((uintptr_t)base + bytes, ALIGN);

	memset(heap, 0, sizeof(*heap));
	heap->base = heap->top = heap->touched = (char *)base + (lo - (uintptr_t)base);
	heap->end = (char *)base + (hi - (uintptr_t)base);
	heap->ops = ops;
}

/* The block of an address that was handed out, or broken(). */
static block *block_checked(struct exos_heap *heap, const void *address)
{
	block *b = (block *)(void *)((char *)(uintptr_t)address - TAG);
	const char *what = NULL;

	if ((uintptr_t)address % ALIGN || (char *)b < heap->base || (char *)b >= heap->top)
		what = "not a block of this heap";
	else if (b->seal != seal_of(b))
		what = "its tag was overwritten, or it is no block";
	else if (!(b->size & USED))
		what = "it is free already";
	if (what)
		heap->ops->broken(what, address);
	return b;
}

/* b has a new size: the block above, or the heap where b is the last, is told. */
static void block_tell(struct exos_heap *heap, const block *b)
{
	block *up = above(heap, b);
	uint32_t units = (uint32_t)(size_of(b) / ALIGN);

	if (up)
		tag_set(up, size_of(up), up->size & USED, units);
	else
		heap->last = units;
}

/* Cut a block that is in no bin down to `size`; the rest becomes free. */
static void block_cut(struct exos_heap *heap, block *b, uint64_t size)
{
	uint64_t rest = size_of(b) - size;
	block *up = above(heap, b), *r;

	if (rest < LEAST)
		return;
	tag_set(b, size, b->size & USED, b->below);
	r = (block *)(void *)((char *)b + size);
	if (!up) {
		heap->top = (char *)r;
		heap->last = (uint32_t)(size / ALIGN);
		return;
	}
	if (!(up->size & USED)) {
		bin_remove(heap, up);
		rest += size_of(up);
	}
	tag_set(r, rest, 0, (uint32_t)(size / ALIGN));
	block_tell(heap, r);
	bin_insert(heap, r);
}

/* The first block in the bin that is large enough. */
static block *bin_search(struct exos_heap *heap, unsigned n, uint64_t size)
{
	block *b = heap->bin[n];

	while (b && size_of(b) < size)
		b = b->next;
	return b;
}

/* A free block of at least this size, out of its bin; NULL: none. */
static block *bins_take(struct exos_heap *heap, uint64_t size)
{
	unsigned n = bin_of(size);
	uint64_t higher = n + 1 < EXOS_HEAP_BINS ? heap->bins_used >> (n + 1) : 0;
	block *b = bin_search(heap, n, size);

	if (!b && higher)
		b = heap->bin[n + 1 + (unsigned)__builtin_ctzll(higher)];
	if (b)
		bin_remove(heap, b);
	return b;
}

/* A new block at top; the block below it is used, since free blocks never touch top. */
static block *top_take(struct exos_heap *heap, uint64_t size)
{
	block *b = (block *)(void *)heap->top;

	if ((uint64_t)(heap->end - heap->top) < size)
		return NULL;
	heap->top += size;
	if (heap->top > heap->touched)
		heap->touched = heap->top;
	tag_set(b, size, 0, heap->last);
	heap->last = (uint32_t)(size / ALIGN);
	return b;
}

/* Give pages far above top back, when there are many of them. */
static void top_release(struct exos_heap *heap)
{
	uint64_t lo = round_up((uintptr_t)heap->top, 4096);
	uint64_t hi = round_up((uintptr_t)heap->touched, 4096);

	if (!heap->ops->release || hi < lo || hi - lo < RELEASE)
		return;
	heap->ops->release(heap->top + (lo - (uintptr_t)heap->top), hi - lo);
	heap->touched = heap->top;
}

static uint64_t size_wanted(size_t bytes)
{
	return max_u64(round_up(bytes + TAG, ALIGN), LEAST);
}

void *exos_heap_alloc(struct exos_heap *heap, size_t bytes)
{
	uint64_t size = size_wanted(bytes);
	block *b;

	if (bytes > MOST - 64)
		return NULL;
	b = bins_take(heap, size);
	if (!b)
		b = top_take(heap, size);
	if (!b)
		return NULL;
	tag_set(b, size_of(b), USED, b->below);
	block_cut(heap, b, size);
	heap->used_bytes += size_of(b);
	heap->blocks++;
	if (heap->junk)
		memset((char *)b + TAG, JUNK_NEW, size_of(b) - TAG);
	return (char *)b + TAG;
}

/* A block in no bin becomes free: joined with free neighbours, or given to top. */
static void block_release(struct exos_heap *heap, block *b)
{
	block *up = above(heap, b), *down = below(b);
	uint64_t size = size_of(b);

	if (up && !(up->size & USED)) {
		bin_remove(heap, up);
		size += size_of(up);
	}
	if (down && !(down->size & USED)) {
		bin_remove(heap, down);
		size += size_of(down);
		b->seal = ~b->seal;     /* its tag is inside a free block now */
		b = down;
	}
	tag_set(b, size, 0, b->below);
	if ((char *)b + size == heap->top) {
		heap->top = (char *)b;
		heap->last = b->below;
		top_release(heap);
		return;
	}
	block_tell(heap, b);
	bin_insert(heap, b);
}

void exos_heap_free(struct exos_heap *heap, void *address)
{
	block *b;

	if (!address)
		return;
	b = block_checked(heap, address);
	heap->used_bytes -= size_of(b);
	heap->blocks--;
	if (heap->junk)
		memset(address, JUNK_FREE, size_of(b) - TAG);
	block_release(heap, b);
}

size_t exos_heap_size(struct exos_heap *heap, const void *address)
{
	return size_of(block_checked(heap, address)) - TAG;
}

/* Make a used block larger without moving it, if what is above allows it. */
static bool block_grow(struct exos_heap *heap, block *b, uint64_t size)
{
	block *up = above(heap, b);
	uint64_t more = size - size_of(b);

	if (!up) {
		if ((uint64_t)(heap->end - heap->top) < more)
			return false;
		heap->top += more;
		if (heap->top > heap->touched)
			heap->touched = heap->top;
		tag_set(b, size, USED, b->below);
		heap->last = (uint32_t)(size / ALIGN);
		return true;
	}
	if (up->size & USED || size_of(up) < more)
		return false;
	bin_remove(heap, up);
	tag_set(b, size_of(b) + size_of(up), USED, b->below);
	block_tell(heap, b);
	return true;
}

void *exos_heap_resize(struct exos_heap *heap, void *address, size_t bytes)
{
	uint64_t size = size_wanted(bytes), old;
	block *b;
	void *moved;

	if (!address)
		return exos_heap_alloc(heap, bytes);
	if (bytes > MOST - 64)
		return NULL;
	b = block_checked(heap, address);
	old = size_of(b);
	if (size <= old || block_grow(heap, b, size)) {
		block_cut(heap, b, size);
		heap->used_bytes += size_of(b) - old;
		return address;
	}
	moved = exos_heap_alloc(heap, bytes);
	if (!moved)
		return NULL;
	memcpy(moved, address, old - TAG);
	exos_heap_free(heap, address);
	return moved;
}

/* Does block b agree with itself, the one below and its bin? */
static const char *block_wrong(const struct exos_heap *heap, const block *b, const block *down)
{
	bool is_free = !(b->size & USED);

	if (b->seal != seal_of(b))
		return "a tag was overwritten";
	if (size_of(b) < LEAST || size_of(b) > (uint64_t)(heap->top - (const char *)b))
		return "a size is out of range";
	if (b->below != (down ? size_of(down) / ALIGN : 0))
		return "a block does not know the one below it";
	if (is_free && down && !(down->size & USED))
		return "two free blocks touch";
	if (is_free && (char *)(uintptr_t)b + size_of(b) == heap->top)
		return "a free block touches the top";
	return NULL;
}

int exos_heap_check(struct exos_heap *heap)
{
	uint64_t free_blocks = 0, used = 0, binned = 0;
	const char *what = NULL;
	const block *down = NULL;

	for (const block *b = (const void *)heap->base; (const char *)b < heap->top;
	     down = b, b = (const void *)((const char *)b + size_of(b))) {
		what = block_wrong(heap, b, down);
		if (what) {
			heap->ops->broken(what, b);
			return -1;
		}
		free_blocks += !(b->size & USED);
		used += b->size & USED ? size_of(b) : 0;
	}
	for (unsigned n = 0; n < EXOS_HEAP_BINS; n++)
		for (const block *b = heap->bin[n]; b; b = b->next)
			binned += bin_of(size_of(b)) == n;
	if (binned == free_blocks && used == heap->used_bytes)
		return 0;
	heap->ops->broken("bins or counts do not agree with the blocks", NULL);
	return -1;
}
