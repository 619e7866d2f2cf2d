/* SPDX-License-Identifier: MIT */
/*
 * memory.c - the machine's memory at boot: what the kernel keeps, the owner map, the export area.
 *
 * Everything here happens before the first program runs; afterwards the kernel takes no memory.
 * Kept frames come from the end of the largest free range, the export area from its beginning.
 */
#include "memory.h"

#include "frame.h"
#include "kernel.h"

static uint64_t free_lo, free_hi;       /* what is left of the range we take from */
static uint64_t taken_hi;               /* its end at first */

static struct exo_boot_range *boot_range(uint32_t i)
{
	return (struct exo_boot_range *)phys_to_virt(boot_info->ranges_pa) + i;
}

void memory_start(void)
{
	for (uint32_t i = 0; i < boot_info->ranges; i++) {
		const struct exo_boot_range *r = boot_range(i);

		if (r->kind == EXO_BOOT_FREE && r->hi - r->lo > free_hi - free_lo) {
			free_lo = r->lo;
			free_hi = r->hi;
		}
	}
	taken_hi = free_hi;
	if (free_hi - free_lo < 512)
		panic("less than 2 MiB of free memory in one piece");
}

void *boot_frames(uint64_t count)
{
	if (free_hi - free_lo < count)
		panic("no memory left for %lu frames of the kernel's", count);
	free_hi -= count;
	memset(pfn_to_virt(free_hi), 0, count * EXO_PAGE_SIZE);
	return pfn_to_virt(free_hi);
}

void *boot_export(uint64_t bytes)
{
	uint64_t count = round_up(bytes, EXO_PAGE_SIZE) / EXO_PAGE_SIZE;
	void *where = pfn_to_virt(free_lo);

	if (free_hi - free_lo < count)
		panic("no memory left for %lu bytes of owner map and lists", bytes);
	free_lo += count;
	memset(where, 0, count * EXO_PAGE_SIZE);
	return where;
}

uint64_t export_offset(const void *where)
{
	return (const char *)where - (const char *)machine;
}

/* Does the owner map describe its frames? */
static bool range_is_mapped(const struct exo_boot_range *r)
{
	return r->kind != EXO_BOOT_FIRMWARE;
}

static uint64_t screen_lo(void) { return boot_info->screen_base / EXO_PAGE_SIZE; }
static uint64_t screen_hi(void)
{
	return boot_info->screen_base
		       ? round_up(boot_info->screen_base + boot_info->screen_bytes, EXO_PAGE_SIZE) /
				 EXO_PAGE_SIZE
		       : 0;
}

static uint64_t map_top(void)
{
	uint64_t top = screen_hi();

	for (uint32_t i = 0; i < boot_info->ranges; i++)
		if (range_is_mapped(boot_range(i)))
			top = max_u64(top, boot_range(i)->hi);
	return round_up(top, EXO_CHUNK_FRAMES);
}

/* Number the chunks that [lo, hi) touches and that have no number yet, from count + 1 on. */
static void chunks_number(uint64_t lo, uint64_t hi, uint32_t *count)
{
	for (uint64_t c = lo / EXO_CHUNK_FRAMES; c * EXO_CHUNK_FRAMES < hi; c++)
		if (!frames.chunks[c].fine)
			frames.chunks[c].fine = ++*count;
}

/* How many there are that the owner map describes: all are numbered. */
static uint32_t chunks_make(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < boot_info->ranges; i++)
		if (range_is_mapped(boot_range(i)))
			chunks_number(boot_range(i)->lo, boot_range(i)->hi, &count);
	chunks_number(screen_lo(), screen_hi(), &count);
	return count;
}

/* A machine can say anything: a screen above all memory and 4 GiB gets no map. */
static void screen_check(void)
{
	if (screen_hi() <= max_u64(0x100000, map_top()) && boot_info->screen_base < 1ul << 32)
		return;
	if (boot_info->screen_base)
		machine_notice("the screen's memory lies above 4 GiB: no screen");
	boot_info->screen_base = 0;
}

void export_start(void)
{
	screen_check();
	machine = boot_export(sizeof(struct exo_machine));
	machine->export_pfn = virt_to_phys(machine) / EXO_PAGE_SIZE;
	machine->top_pfn = frames.top_pfn = map_top();
	frames.chunks = boot_export(frames.top_pfn / EXO_CHUNK_FRAMES * sizeof(struct exo_chunk));
	frames.fine = boot_export((chunks_make() + 1ul) * EXO_CHUNK_FRAMES *
				  sizeof(struct exo_frame));
	machine->chunks_off = export_offset(frames.chunks);
	machine->fine_off = export_offset(frames.fine);
}

/*
 * Give [lo, hi), of one chunk, its first use; frames that have one keep it.  Nobody holds anything
 * yet, so entries of a chunk without a use are as zero as its own.
 */
static void chunk_set(uint64_t lo, uint64_t hi, enum exo_use use)
{
	struct exo_chunk *c = &frames.chunks[lo / EXO_CHUNK_FRAMES];
	struct exo_frame *f = frame_entry(lo);

	if (!f || (!c->mixed && c->use != EXO_USE_NONE))
		return;
	if (!c->mixed && hi - lo == EXO_CHUNK_FRAMES) {
		c->use = use;
		return;
	}
	c->mixed = 1;
	for (const struct exo_frame *end = f + (hi - lo); f < end; f++)
		if (f->use == EXO_USE_NONE)
			f->use = use;
}

static void range_set(uint64_t lo, uint64_t hi, enum exo_use use)
{
	for (uint64_t end; lo < hi; lo = end) {
		end = min_u64(round_down(lo, EXO_CHUNK_FRAMES) + EXO_CHUNK_FRAMES, hi);
		chunk_set(lo, end, use);
	}
}

/* What ranges of each kind are used for, and what the first program is told of them. */
static const struct range_kind {
	enum exo_use use;
	enum exo_run_kind run;
} range_kinds[] = {
	[EXO_BOOT_FREE] = { EXO_USE_MEMORY, EXO_RUN_RAM },
	[EXO_BOOT_KEPT] = { EXO_USE_KERNEL, EXO_RUN_KERNEL },
	[EXO_BOOT_ARCHIVE] = { EXO_USE_EXPORT, EXO_RUN_ARCHIVE },
	[EXO_BOOT_INIT] = { EXO_USE_MEMORY, EXO_RUN_RAM },
	[EXO_BOOT_ACPI] = { EXO_USE_EXPORT, EXO_RUN_ACPI },
};

/* Call when the kernel has all it keeps: the rest of memory is the first program's. */
void memory_settle(void)
{
	machine->export_frames = free_lo - machine->export_pfn;
	range_set(machine->export_pfn, free_lo, EXO_USE_EXPORT);
	range_set(free_hi, taken_hi, EXO_USE_KERNEL);
	range_set(screen_lo(), screen_hi(), EXO_USE_DEVICE);
	for (uint32_t i = 0; i < boot_info->ranges; i++) {
		const struct exo_boot_range *r = boot_range(i);

		if (range_is_mapped(r))
			range_set(r->lo, r->hi, range_kinds[r->kind].use);
	}
}

static void run_give(run_sink *sink, uint64_t lo, uint64_t hi, enum exo_run_kind kind)
{
	if (lo < hi)
		sink(lo, hi, kind);
}

/* The range we took from: exports, what is left, what we keep. */
static void taken_give(run_sink *sink, const struct exo_boot_range *r)
{
	run_give(sink, r->lo, machine->export_pfn, EXO_RUN_RAM);
	run_give(sink, machine->export_pfn, free_lo, EXO_RUN_EXPORT);
	run_give(sink, free_lo, free_hi, EXO_RUN_RAM);
	run_give(sink, free_hi, r->hi, EXO_RUN_KERNEL);
}

void memory_runs(run_sink *sink)
{
	for (uint32_t i = 0; i < boot_info->ranges; i++) {
		const struct exo_boot_range *r = boot_range(i);

		if (r->kind == EXO_BOOT_FREE && free_lo >= r->lo && free_hi <= r->hi)
			taken_give(sink, r);
		else if (range_is_mapped(r))
			run_give(sink, r->lo, r->hi, range_kinds[r->kind].run);
	}
	run_give(sink, screen_lo(), screen_hi(), EXO_RUN_DEVICE);
}
