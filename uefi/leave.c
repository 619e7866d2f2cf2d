/* SPDX-License-Identifier: MIT */
/*
 * leave.c - page tables, the kernel's view of memory, and out of the firmware.
 *
 * Invariant: everything that can fail is done in leave_prepare, or by the firmware's own refusal;
 * once the firmware is left, the ranges always fit, since their room was made for the largest map.
 */
#include "loader.h"

#include "exit.h"
#include "x86/insn.h"

#include <base/util.h>

enum { PAGE = 4096, MAP_SLACK = 64 /* descriptors that may come up between two maps */ };
#define FOUR_GIB (4ul << 30)

static enum exit_status map_get(void *context)
{
	struct loader *l = context;
	UINT32 version;
	EFI_STATUS s;

	l->map_bytes = l->map_room;
	s = l->bs->GetMemoryMap(&l->map_bytes, l->map, &l->map_key, &l->map_step, &version);
	if (s == EFI_BUFFER_TOO_SMALL)
		return EXIT_ROOM;
	return s == EFI_SUCCESS ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status map_leave(void *context)
{
	struct loader *l = context;
	EFI_STATUS s = l->bs->ExitBootServices(l->handle, l->map_key);

	if (s == EFI_INVALID_PARAMETER)
		return EXIT_CHANGED;
	return s == EFI_SUCCESS ? EXIT_DONE : EXIT_FAILED;
}

static uint64_t ranges_pages(uint32_t room)
{
	return round_up(room * sizeof(struct exo_boot_range), PAGE) / PAGE;
}

/* Room for `descriptors` descriptors, and for the ranges they can become. */
static bool map_make(struct loader *l, uint64_t descriptors)
{
	uint64_t pages = round_up(descriptors * l->map_step, PAGE) / PAGE;
	uint32_t room;

	if (l->map)
		memory_release(l, l->map, l->map_room / PAGE);
	if (l->ranges.at)
		memory_release(l, l->ranges.at, ranges_pages(l->ranges.room));
	l->map_room = 0;
	l->ranges = (struct range_list){ .at = NULL };
	l->map = memory_scratch(l, pages, "memory map");
	if (!l->map)
		return false;
	l->map_room = pages * PAGE;
	room = range_room(l->map_room / l->map_step, LOADER_SPANS);
	l->ranges.at = memory_keep(l, ranges_pages(room), EXO_BOOT_KEPT, 0, "memory ranges");
	l->ranges.room = room;
	return l->ranges.at != NULL;
}

static enum exit_status map_grow(void *context)
{
	struct loader *l = context;

	return map_make(l, l->map_bytes / l->map_step + MAP_SLACK) ? EXIT_DONE : EXIT_FAILED;
}

static bool map_first(struct loader *l)
{
	enum exit_status s = map_get(l);        /* asks for the size: there is no buffer yet */

	if (s == EXIT_ROOM && map_grow(l) == EXIT_DONE)
		s = map_get(l);
	return s == EXIT_DONE || refuse(&l->why, "firmware: it gives no memory map");
}

static bool ranges_fill(struct loader *l)
{
	l->ranges.count = 0;
	if (!range_lay_map(&l->ranges, l->map, l->map_bytes, l->map_step))
		return false;
	for (uint32_t i = 0; i < l->spans; i++) {
		const struct span *s = &l->span[i];

		if (!range_lay(&l->ranges, s->pa / PAGE, s->pa / PAGE + s->pages, s->kind))
			return false;
	}
	range_merge(&l->ranges);
	return true;
}

static uint64_t kernel_rights(const struct image_head *h, uint64_t va)
{
	if (va < h->text_end)
		return 0;
	return va < h->rodata_end ? PAGING_NX : PAGING_NX | PAGING_WRITE;
}

static bool tables_fill(struct loader *l)
{
	struct paging *p = &l->paging;
	uint64_t here = round_down((uint64_t)enter_kernel, PAGE);

	if (!paging_direct(p, l->ranges.at, l->ranges.count))
		return false;
	for (uint64_t i = 0; i < l->kernel_pages; i++) {
		uint64_t va = EXO_KERNEL_VA + i * PAGE;

		if (!paging_page(p, va, l->boot->kernel_pa + i * PAGE,
				 kernel_rights(l->kernel, va)))
			return false;
	}
	return paging_page(p, here, here, 0);
}

static bool tables_make(struct loader *l)
{
	bool giga = l->paging.giga;
	uint64_t pages = paging_need(l->ranges.at, l->ranges.count, l->kernel_pages, giga);
	void *pool = memory_keep(l, pages, EXO_BOOT_KEPT, FOUR_GIB, "page tables");

	if (!pool)
		return false;
	paging_begin(&l->paging, (uint64_t)pool, pages, giga);
	if (!tables_fill(l))
		return refuse(&l->why, "loader: page tables took more than %lu pages", pages);
	l->boot->pml4_pa = (uint64_t)pool;
	return true;
}

bool leave_prepare(struct loader *l)
{
	void *stack = memory_keep(l, LOADER_STACK_PAGES, EXO_BOOT_KEPT, 0, "stack");

	if (!stack || !map_first(l))
		return false;
	l->stack = (uint64_t)stack;
	if (!ranges_fill(l))
		return refuse(&l->why, "firmware: its memory map is malformed");
	return tables_make(l);
}

EFI_STATUS leave_firmware(struct loader *l)
{
	static const struct exit_ops ops = { map_get, map_leave, map_grow };
	int tries;

	switch (exit_firmware(&ops, l, &tries)) {
	case EXIT_DONE:
		break;
	case EXIT_CHANGED:
		return EFI_TIMEOUT;
	case EXIT_ROOM:
		return EFI_BUFFER_TOO_SMALL;
	default:
		return EFI_DEVICE_ERROR;
	}
	insn_cli();
	l->boot->boot_tsc = insn_rdtsc();
	ranges_fill(l);
	l->boot->ranges_pa = (uint64_t)l->ranges.at;
	l->boot->ranges = l->ranges.count;
	return EFI_SUCCESS;
}
