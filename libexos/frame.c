/* SPDX-License-Identifier: MIT */
/*
 * frame.c - page frames of the program's FRAME claims: one pool of bits a claim.
 *
 * The bits lie in the image while they fit there, else in frames of the claims themselves, at
 * EXOS_POOL_VA.  Before its bits are there a claim is used from the bottom up (`carve`): page
 * tables for the bits are made of such frames.
 *
 * Invariant: all bits are mapped; a pool's claim covers its range and nothing of it is given away
 * but what was handed out.
 */
#include "core.h"
#include "pool.h"

#include <exos/error.h>
#include <exos/frame.h>
#include <exos/pager.h>
#include <exos/space.h>

#define POOLS       128u
#define IMAGE_WORDS 576u        /* bits for 32,768 frames (128 MiB) and their words */
#define STOCK       32u         /* frames taken ahead */
#define HIGH_RUN    64u         /* runs of this many frames come from the high end */

struct carve {
	exo_slot claim;
	uint64_t next, hi;      /* pfn: frames below next are handed out */
};

static struct pool pools[POOLS] EXOS_UNSET;     /* [0, pool_count) */
static unsigned pool_count;
static uint64_t image_words[IMAGE_WORDS] EXOS_UNSET;
static uint64_t image_used;             /* words */
static uint64_t window_used, window_mapped;     /* words, pages at EXOS_POOL_VA */
static struct carve carve;
static const struct exos_frame_ops *ops = &exos_frame_default;

struct core_stock core_stock;

static struct pool *pool_of(uint64_t pfn)
{
	for (unsigned i = 0; i < pool_count; i++)
		if (pfn >= pools[i].lo && pfn < pools[i].hi)
			return &pools[i];
	return NULL;
}

/*
 * The frames of the first program's image lie in claims of its own: they are not free.  The first
 * of [pfn, pfn + count) behind the last that belongs to the image; pfn if none does.
 */
static uint64_t image_behind(uint64_t pfn, uint64_t count)
{
	const struct exo_first *first = exos_first();
	uint64_t behind = pfn;

	for (uint64_t va = first ? first->image_lo : 0; first && va < first->image_hi;
	     va += EXO_PAGE_SIZE) {
		uint64_t frame = exos_space_frame(va);

		if (frame >= pfn && frame - pfn < count)
			behind = max_u64(behind, frame + 1);
	}
	return behind;
}

static int carve_alloc(uint64_t count, uint64_t align, uint64_t *pfn, exo_slot *claim)
{
	uint64_t at = round_up(carve.next, align), behind;

	while ((behind = image_behind(at, count)) != at)
		at = round_up(behind, align);
	if (at >= carve.hi || count > carve.hi - at)
		return -EXO_E_ROOM;
	carve.next = at + count;
	*pfn = at;
	*claim = carve.claim;
	return 0;
}

static void default_free(uint64_t pfn, uint64_t count);

static void stock_empty(void)
{
	struct core_stock rest = core_stock;

	core_stock = (struct core_stock){ 0, 0, 0 };
	if (rest.next < rest.hi)
		default_free(rest.next, rest.hi - rest.next);
}

static bool stock_fill(void)
{
	uint64_t pfn, count;

	for (unsigned i = 0; i < pool_count; i++) {
		count = pools[i].closed ? 0 : pool_take_some(&pools[i], STOCK, &pfn);
		if (!count)
			continue;
		core_stock = (struct core_stock){ pools[i].claim, pfn, pfn + count };
		return true;
	}
	return false;
}

/* One frame of the default allocator. */
static inline bool stock_take(uint64_t *pfn, exo_slot *claim)
{
	if (core_stock.next == core_stock.hi && !stock_fill())
		return false;
	*pfn = core_stock.next++;
	*claim = core_stock.claim;
	return true;
}

static int default_alloc(uint64_t count, uint64_t align, uint64_t *pfn, exo_slot *claim)
{
	bool high = count >= HIGH_RUN;

	if (count == 1 && align == 1)
		return stock_take(pfn, claim) ? 0 : -EXO_E_ROOM;
	for (unsigned i = 0; i < pool_count; i++) {
		struct pool *pool = &pools[high ? pool_count - 1 - i : i];

		if (!pool->closed && pool_take(pool, count, align, high, pfn)) {
			*claim = pool->claim;
			return 0;
		}
	}
	return -EXO_E_ROOM;
}

static void default_free(uint64_t pfn, uint64_t count)
{
	struct pool *pool = pool_of(pfn);

	/* What is in stock was not handed out. */
	if (pfn < core_stock.hi && core_stock.next < pfn + count)
		pool = NULL;
	if (!pool || !pool_give(pool, pfn, count))
		exos_panic("frames 0x%lx + 0x%lx were given back but not handed out",
			   (unsigned long)pfn, (unsigned long)count);
}

const struct exos_frame_ops exos_frame_default = { default_alloc, default_free };

void exos_frame_ops_set(const struct exos_frame_ops *new_ops)
{
	exos_core_take();
	stock_empty();
	ops = new_ops ? new_ops : &exos_frame_default;
	exos_core_drop();
}

int core_frame_one(uint64_t *pfn, exo_slot *claim)
{
	if (ops == &exos_frame_default && stock_take(pfn, claim))
		return 0;
	return core_frame_alloc(1, 1, pfn, claim);
}

int core_frame_alloc(uint64_t count, uint64_t align, uint64_t *pfn, exo_slot *claim)
{
	if (count == 0 || align == 0 || (align & (align - 1)))
		return -EXO_E_ARG;
	if (carve.claim)
		return carve_alloc(count, align, pfn, claim);
	return ops->alloc(count, align, pfn, claim);
}

void core_frame_free(uint64_t pfn, uint64_t count)
{
	/* A set-up that fails ends the program: nothing is given back to the bottom. */
	if (!carve.claim)
		ops->free(pfn, count);
}

static int frame_try(uint64_t count, uint64_t align, uint64_t *pfn, exo_slot *claim)
{
	int err;

	exos_core_take();
	err = core_frame_alloc(count, align, pfn, claim);
	exos_core_drop();
	return err;
}

int exos_frame_alloc_aligned(uint64_t count, uint64_t align, uint64_t *pfn, exo_slot *claim)
{
	int err;

	err = frame_try(count, align, pfn, claim);
	if (err == -EXO_E_ROOM && exos_region_reclaim() > 0)
		err = frame_try(count, align, pfn, claim);
	return err;
}

int exos_frame_alloc(uint64_t count, uint64_t *pfn, exo_slot *claim)
{
	return exos_frame_alloc_aligned(count, 1, pfn, claim);
}

void exos_frame_free(uint64_t pfn, uint64_t count)
{
	exos_core_take();
	core_frame_free(pfn, count);
	exos_core_drop();
}

exo_slot exos_frame_claim(uint64_t pfn)
{
	struct pool *pool = pool_of(pfn);

	return pool ? pool->claim : 0;
}

/* Map pages of the window until it has this many words; they come from `carve` or the pools. */
static int window_grow(uint64_t words)
{
	uint64_t pages = round_up(words * 8, EXO_PAGE_SIZE) >> EXO_PAGE_SHIFT;

	if (pages > (EXOS_POOL_END - EXOS_POOL_VA) >> EXO_PAGE_SHIFT)
		return -EXO_E_ROOM;
	while (window_mapped < pages) {
		uint64_t pfn, va = EXOS_POOL_VA + (window_mapped << EXO_PAGE_SHIFT);
		exo_slot claim;
		int err = core_frame_alloc(1, 1, &pfn, &claim);

		if (err < 0)
			return err;
		err = core_space_map(&exos_space_own, va, claim, pfn, 1,
				     EXO_R_READ | EXO_R_WRITE);
		if (err < 0) {
			core_frame_free(pfn, 1);
			return err;
		}
		window_mapped++;
	}
	return 0;
}

/* Memory for the bits of a range: in the image if it fits, else in the window. */
static uint64_t *words_alloc(uint64_t words)
{
	uint64_t *at = &image_words[image_used];

	if (words <= IMAGE_WORDS - image_used) {
		image_used += words;
		return at;
	}
	if (window_grow(window_used + words) < 0)
		return NULL;
	at = (uint64_t *)EXOS_POOL_VA + window_used;
	window_used += words;
	return at;
}

/* The frames of the image that lie in a pool, if they come near it, are handed out already. */
static void image_exclude(struct pool *pool)
{
	static uint64_t lo = ~0ul, hi;          /* all of them lie in [lo, hi) */
	const struct exo_first *first = exos_first();

	if (!first || (hi && (pool->hi <= lo || hi <= pool->lo)))
		return;
	for (uint64_t va = first->image_lo; va < first->image_hi; va += EXO_PAGE_SIZE) {
		uint64_t frame = exos_space_frame(va);

		if (!frame)
			continue;
		lo = min_u64(lo, frame);
		hi = max_u64(hi, frame + 1);
		pool_take_at(pool, frame, 1);
	}
}

static bool add_allowed(uint64_t lo, uint64_t hi)
{
	if (lo >= hi || pool_count == POOLS)
		return false;
	for (unsigned i = 0; i < pool_count; i++)
		if (lo < pools[i].hi && pools[i].lo < hi)
			return false;
	return true;
}

/* Pools ascend by address, so that the low end of memory is the first pool. */
static struct pool *pool_insert(uint64_t lo)
{
	unsigned i = pool_count++;

	for (; i > 0 && pools[i - 1].lo > lo; i--)
		pools[i] = pools[i - 1];
	return &pools[i];
}

static int frame_add(exo_slot claim, uint64_t lo, uint64_t hi, bool bottom)
{
	uint64_t *memory;
	struct pool *pool;

	if (!add_allowed(lo, hi))
		return -EXO_E_ARG;
	if (bottom)
		carve = (struct carve){ claim, lo, hi };
	memory = words_alloc(pool_words(hi - lo));
	if (!memory)
		return -EXO_E_ROOM;
	pool = pool_insert(lo);
	pool_init(pool, lo, hi, memory);
	pool->claim = claim;
	if (bottom)
		pool_take_at(pool, lo, carve.next - lo);
	carve = (struct carve){ 0, 0, 0 };
	image_exclude(pool);
	return 0;
}

int exos_frame_add(exo_slot claim, uint64_t lo, uint64_t hi)
{
	int err;

	exos_core_take();
	err = frame_add(claim, lo, hi, pool_count == 0);
	exos_core_drop();
	return err;
}

/* Its bits stay where they are: memory comes and goes seldom. */
static void pool_remove(unsigned i)
{
	pool_count--;
	for (; i < pool_count; i++)
		pools[i] = pools[i + 1];
}

int exos_frame_remove(exo_slot claim)
{
	int err = -EXO_E_STALE;

	exos_core_take();
	stock_empty();
	for (unsigned i = 0; i < pool_count && err == -EXO_E_STALE; i++) {
		if (pools[i].claim != claim)
			continue;
		err = pools[i].free == pools[i].hi - pools[i].lo ? 0 : -EXO_E_BUSY;
		if (err == 0)
			pool_remove(i);
	}
	exos_core_drop();
	return err;
}

static struct pool *pool_in_slot(exo_sid sid)
{
	for (unsigned i = 0; i < pool_count; i++)
		if (exo_slot_sid(pools[i].claim) == sid)
			return &pools[i];
	return NULL;
}

bool core_frame_range(exo_sid sid, uint64_t *lo, uint64_t *hi)
{
	const struct pool *pool = pool_in_slot(sid);

	if (!pool)
		return false;
	*lo = pool->lo;
	*hi = pool->hi;
	return true;
}

void core_frame_close(exo_sid sid)
{
	struct pool *pool = pool_in_slot(sid);

	stock_empty();
	if (pool)
		pool->closed = true;
}

void core_frame_open_all(void)
{
	for (unsigned i = 0; i < pool_count; i++)
		pools[i].closed = false;
}

uint64_t core_frame_lost(exo_sid sid)
{
	struct pool *pool = pool_in_slot(sid);
	uint64_t out;

	if (!pool)
		return 0;
	stock_empty();
	out = pool->hi - pool->lo - pool->free;
	pool_remove((unsigned)(pool - pools));
	return out;
}

bool exos_frame_plenty(void)
{
	uint64_t total = 0, free = 0;

	exos_core_take();
	for (unsigned i = 0; i < pool_count; i++) {
		if (pools[i].closed)
			continue;
		total += pools[i].hi - pools[i].lo;
		free += pools[i].free;
	}
	exos_core_drop();
	return free > total / 8;
}

void exos_frame_stats(struct exos_frame_stats *stats)
{
	*stats = (struct exos_frame_stats){ .claims = pool_count };
	exos_core_take();
	stock_empty();
	for (unsigned i = 0; i < pool_count; i++) {
		stats->total += pools[i].hi - pools[i].lo;
		stats->free += pools[i].free;
		stats->largest = max_u64(stats->largest, pool_longest(&pools[i]));
	}
	exos_core_drop();
}

/* The largest claim first: the bits of all others come out of it. */
static void largest_visit(const struct exos_grant *g, void *context)
{
	struct exos_grant *best = context;

	if (g->hi - g->lo > best->hi - best->lo)
		*best = *g;
}

static void add_visit(const struct exos_grant *g, void *context)
{
	const struct exos_grant *best = context;

	if (g->slot != best->slot)
		frame_add(g->slot, g->lo, g->hi, false);
}

void exos_frame_setup(void)
{
	struct exos_grant best = { .lo = 0, .hi = 0 };

	exos_memory_each(largest_visit, &best);
	if (best.hi == 0)
		return;
	if (frame_add(best.slot, best.lo, best.hi, true) < 0)
		exos_panic("there is no memory for the frame allocator's own bits");
	exos_memory_each(add_visit, &best);
}
