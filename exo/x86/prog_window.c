/* SPDX-License-Identifier: MIT */
/*
 * prog_window.c - the code window: where compiled programs are executed.
 *
 * Each entry of the window's directories covers 2 MiB of frames.  The page table below it is the
 * second frame of one of the programs there, its host; when the host ends, the next of them becomes
 * host with a copy.  Invariant: an entry is present exactly for each code frame of each loaded
 * program, and none is writable; directories without programs have no table.  tree_lock held.
 */
#include <base/string.h>
#include <base/util.h>

#include "cpu.h"
#include "frame.h"
#include "kernel.h"
#include "prog.h"
#include "tlb.h"
#include "x86/pte.h"

#define DIRECTORY_FRAMES (512ul * EXO_CHUNK_FRAMES)     /* that one directory covers */
#define SLOTS_MAX 16u                                   /* of the top-level table */

static uint64_t *directory;     /* [chunk] */

void prog_window_start(void)
{
	uint64_t directories = (frames.top_pfn + DIRECTORY_FRAMES - 1) / DIRECTORY_FRAMES;
	uint64_t slots = (directories + 511) / 512;
	uint64_t *pointers;

	if (slots > SLOTS_MAX)
		panic("more than %u TiB of memory", SLOTS_MAX / 2);
	directory = boot_frames(directories);
	pointers = boot_frames(slots);
	for (uint64_t i = 0; i < directories; i++)
		pointers[i] = (virt_to_phys(directory) + i * EXO_PAGE_SIZE) | PTE_P;
	for (uint64_t i = 0; i < slots; i++)
		kernel_pml4[pte_index(CODE_VA, 4) + i] =
			(virt_to_phys(pointers) + i * EXO_PAGE_SIZE) | PTE_P;
}

static uint64_t *prog_entry_of_chunk(const struct prog *p)
{
	return &directory[prog_code_pfn(prog_pfn(p), p->max) / EXO_CHUNK_FRAMES];
}

/* The page table is the frame behind the host's first. */
static uint64_t *host_table(uint64_t entry) { return pfn_to_virt(pte_pfn(entry)); }
static struct prog *host(uint64_t entry) { return prog_at(pte_pfn(entry) - 1); }

static uint64_t table_entry(const struct prog *p)
{
	return (prog_pfn(p) + 1) << EXO_PAGE_SHIFT | PTE_P;
}

static void entries_set(const struct prog *p, uint64_t *table, bool present)
{
	uint64_t pfn = prog_code_pfn(prog_pfn(p), p->max);
	uint64_t end = prog_code_end(prog_pfn(p), p->max);

	for (; pfn < end; pfn++)
		table[pfn % EXO_CHUNK_FRAMES] = present ? pfn << EXO_PAGE_SHIFT | PTE_P : 0;
}

void prog_map(struct prog *p)
{
	uint64_t *entry = prog_entry_of_chunk(p);

	p->prev = p->next = 0;
	if (*entry) {
		struct prog *first = host(*entry);

		p->prev = prog_pfn(first);
		p->next = first->next;
		if (first->next)
			prog_at(first->next)->prev = prog_pfn(p);
		first->next = prog_pfn(p);
		entries_set(p, host_table(*entry), true);
	} else {
		entries_set(p, pfn_to_virt(prog_pfn(p) + 1), true);
		__atomic_store_n(entry, table_entry(p), __ATOMIC_RELEASE);
	}
	p->mapped = true;
}

/* The next program's own frame becomes the table of all that are left. */
static void host_change(const struct prog *p, uint64_t *entry)
{
	struct prog *heir = p->next ? prog_at(p->next) : NULL;

	if (heir) {
		heir->prev = 0;
		memcpy(pfn_to_virt(p->next + 1), host_table(*entry), EXO_PAGE_SIZE);
	}
	__atomic_store_n(entry, heir ? table_entry(heir) : 0, __ATOMIC_RELEASE);
}

void prog_unmap(struct prog *p)
{
	uint64_t *entry = prog_entry_of_chunk(p);

	entries_set(p, host_table(*entry), false);
	if (host(*entry) == p) {
		host_change(p, entry);
	} else {
		prog_at(p->prev)->next = p->next;
		if (p->next)
			prog_at(p->next)->prev = p->prev;
	}
	p->mapped = false;
	tlb_flush_kernel();
}
