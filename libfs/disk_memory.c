/* SPDX-License-Identifier: MIT */
/*
 * disk_memory.c - memory for caches out of the program's own frames: mapped for good, or lent, so
 * that libexos takes pages back when memory is short or asked for.
 *
 * Invariant: a run is consecutive addresses, and consecutive frames until it is lent; the handle of
 * a page is its frame number, 0 while it is away.
 */
#include <exo/cap.h>
#include <exos/frame.h>
#include <exos/heap.h>
#include <exos/pager.h>
#include <exos/space.h>
#include <libfs/disk.h>
#include <libfs/errors.h>

/* A run that was lent. */
struct loan {
	struct exos_region region;
	const struct fs_keeper *keeper;
};

static int memory_alloc(struct fs_memory *memory, size_t pages, void **data)
{
	exo_slot claim;
	uint64_t pfn;

	(void)memory;
	if (exos_frame_alloc(pages, &pfn, &claim) < 0)
		return -FS_E_NOMEM;
	*data = exos_space_window(claim, pfn, pages, EXO_R_READ | EXO_R_WRITE, NULL);
	if (*data)
		return 0;
	exos_frame_free(pfn, pages);
	return -FS_E_NOMEM;
}

static uint64_t memory_handle(struct fs_memory *memory, const void *page)
{
	(void)memory;
	return exos_space_frame((uint64_t)page);
}

/* A page that went is used: a fresh one, and whoever lent it fills it. */
static int loan_fault(struct exos_region *region, struct exos_fault *fault)
{
	struct loan *loan = region->context;
	uint64_t page = fault->va & ~(EXO_PAGE_SIZE - 1);
	int err = exos_pager_zero.fault(region, fault);

	if (err == 0)
		err = loan->keeper->rebuild(loan->keeper->context, (void *)page);
	return err;
}

static void loan_discard(struct exos_region *region, uint64_t va, uint64_t pages)
{
	const struct fs_keeper *k = ((struct loan *)region->context)->keeper;

	for (; pages; pages--, va += EXO_PAGE_SIZE)
		if (exos_space_frame(va) && k->spare(k->context, (void *)va))
			exos_pager_zero.discard(region, va, 1);
}

static const struct exos_pager loan_pager = { "cached blocks", loan_fault, loan_discard };

static int memory_lend(struct fs_memory *memory, void *data, size_t pages,
		       const struct fs_keeper *keeper)
{
	struct loan *loan = malloc(sizeof(*loan));

	(void)memory;
	if (!loan)
		return -FS_E_NOMEM;
	loan->keeper = keeper;
	loan->region = (struct exos_region){
		.lo = (uint64_t)data, .hi = (uint64_t)data + pages * EXO_PAGE_SIZE,
		.prot = EXO_R_READ | EXO_R_WRITE, .pages = (uint32_t)pages, .pager = &loan_pager,
		.context = loan, .name = "cached blocks", .flags = EXOS_REGION_REBUILD,
	};
	if (exos_region_add(&loan->region) == 0)
		return 0;
	free(loan);
	return -FS_E_NOMEM;
}

static int memory_renew(struct fs_memory *memory, void *page)
{
	struct exos_region *region = exos_region_find((uint64_t)page);

	(void)memory;
	if (!region || !exos_frame_plenty())
		return -FS_E_NOMEM;
	return exos_region_fill(region, (uint64_t)page, 1) < 0 ? -FS_E_NOMEM : 0;
}

static void memory_free(struct fs_memory *memory, void *data, size_t pages)
{
	struct exos_region *region = exos_region_find((uint64_t)data);
	uint64_t pfn = memory_handle(memory, data);

	if (region && region->pager == &loan_pager) {
		struct loan *loan = region->context;

		region->pager = &exos_pager_zero;       /* nobody is asked any more */
		exos_region_remove(region);
		free(loan);
		pfn = 0;
	}
	exos_space_window_end(data, pages);
	if (pfn)
		exos_frame_free(pfn, pages);
}

static const struct fs_memory_ops memory_ops = {
	.alloc = memory_alloc,
	.free = memory_free,
	.handle = memory_handle,
	.lend = memory_lend,
	.renew = memory_renew,
};

struct fs_memory fs_disk_memory = { .ops = &memory_ops };
