/* SPDX-License-Identifier: MIT */
/*
 * paging.h - the page tables that the kernel is entered on.
 */
#ifndef UEFI_PAGING_H
#define UEFI_PAGING_H

#include <exo/boot.h>

#include <stdbool.h>

/* Rights in a page-table entry (Intel SDM volume 3, 4.5). */
#define PAGING_WRITE (1ul << 1)
#define PAGING_NX    (1ul << 63)

/* Tables in making.  Physical addresses are pointers here: the firmware maps one to one. */
struct paging {
	uint64_t pool;          /* physical, page aligned; the first page becomes the PML4 */
	uint64_t pages;         /* in the pool */
	uint64_t used;
	bool giga;              /* 1 GiB pages may be used above 4 GiB */
};

/*
 * Pages that tables need for this memory and a kernel of kernel_pages pages, at most.
 * ranges: as the kernel will get them.
 */
uint64_t paging_need(const struct exo_boot_range *range, uint32_t ranges, uint64_t kernel_pages,
		     bool giga);

/* Begin with an empty PML4. */
void paging_begin(struct paging *p, uint64_t pool, uint64_t pages, bool giga);

/* Map one 4 KiB page.  false: the pool is empty (it never is with paging_need pages). */
bool paging_page(struct paging *p, uint64_t va, uint64_t pa, uint64_t rights);

/*
 * Make the direct map: everything below 4 GiB in 2 MiB pages, so that the kernel can change the
 * caching of device ranges, and all RAM above, rounded outwards to 2 MiB.
 */
bool paging_direct(struct paging *p, const struct exo_boot_range *range, uint32_t ranges);

#endif
