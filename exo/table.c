/* SPDX-License-Identifier: MIT */
/*
 * table.c - page table objects: walking them, their entries, their shadows, their end.
 *
 * Invariant: a present leaf entry is on the binding list of the claim that its shadow names, and
 * nothing else is; the map counts of frames say how many entries name them.  A table hangs on at
 * most one entry of one table of the next level.
 */
#include "table.h"

#include <base/string.h>
#include <base/util.h>
#include <exo/errors.h>
#include <exo/space.h>

#include "claim.h"
#include "env.h"
#include "frame.h"
#include "dev/pci_claim.h"
#include "run.h"
#include "tlb.h"
#include "vcpu.h"

/* The kernel's own top-level table, whose upper half every space shares. */
extern uint64_t *kernel_pml4;

/* Entries are named by physical address / 8. */
static uint64_t *entry_at(uint64_t id)
{
	return phys_to_virt(id * 8);
}

static uint64_t table_of(const uint64_t *pte)
{
	return virt_to_phys(pte) >> EXO_PAGE_SHIFT;
}

void table_make(uint64_t pfn, unsigned level)
{
	if (!frame_was_zero(pfn))
		memset(pfn_to_virt(pfn), 0, EXO_PAGE_SIZE);
	for (unsigned i = 0; i < EXO_FRAMES_PT; i++)
		*table_link(pfn, i) = 0;
	*table_link(pfn, TABLE_LEVEL) = level;
}

/* Entries of the kernel's half that are used: few, and the same ones for ever. */
static struct {
	unsigned count;
	uint8_t index[256];             /* in the upper half */
} kernel_half;

static void kernel_half_find(void)
{
	for (unsigned i = 0; i < 256; i++)
		if (kernel_pml4[256 + i])
			kernel_half.index[kernel_half.count++] = (uint8_t)i;
}

void table_make_space(uint64_t pfn, uint64_t use)
{
	uint64_t *table = pfn_to_virt(pfn);

	table_make(pfn, 4);
	*table_link(pfn, TABLE_USE) = use;
	if (use != EXO_SPACE_ENV)
		return;
	if (!kernel_half.count)
		kernel_half_find();
	for (unsigned i = 0; i < kernel_half.count; i++)
		table[256 + kernel_half.index[i]] = kernel_pml4[256 + kernel_half.index[i]];
	table[EXO_SELF_SLOT] = pfn << EXO_PAGE_SHIFT | PTE_P | PTE_U | PTE_NX;
}

/* The space and the address that an entry translates; 0 if its table hangs in no space. */
static uint64_t entry_space(const uint64_t *pte, uint64_t *va)
{
	uint64_t pfn = table_of(pte);
	uint64_t level = *table_link(pfn, TABLE_LEVEL);

	*va = (uint64_t)(virt_to_phys(pte) / 8 % 512) << (3 + 9 * level);
	while (level < 4) {
		uint64_t parent = *table_link(pfn, TABLE_PARENT);

		if (!parent)
			return 0;
		level++;
		*va |= (parent % 512) << (3 + 9 * level);
		pfn = parent * 8 >> EXO_PAGE_SHIFT;
	}
	return pfn;
}

/* Is this use of a frame one whose mappings are counted? */
static bool use_is_counted(enum exo_use use)
{
	return 1u << use & (1u << EXO_USE_MEMORY | 1u << EXO_USE_DEVICE | 1u << EXO_USE_EXPORT);
}

/* One large mapping of these frames more or less. */
static void large_count(uint64_t pfn, unsigned level, int by)
{
	struct exo_chunk *k = &frames.chunks[pfn / EXO_CHUNK_FRAMES];

	if (!use_is_counted(frame_use(pfn)))
		return;
	for (uint64_t i = 0; i < level_frames(level); i += EXO_CHUNK_FRAMES, k++) {
		__atomic_add_fetch(&k->large, by, __ATOMIC_RELAXED);
		k->zeros = 0;
	}
}

/* One mapping by a small page less. */
static inline void page_uncount(uint64_t pfn)
{
	struct exo_frame *f = frame_entry(pfn);

	if (!f || !use_is_counted(frame_entry_use(f, pfn)))
		return;
	__atomic_sub_fetch(&f->maps, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&frames.chunks[pfn / EXO_CHUNK_FRAMES].busy, 1, __ATOMIC_RELAXED);
}

/* One mapping by small pages more or less for each of these frames, which lie in one chunk. */
static inline void pages_count(uint64_t pfn, uint64_t count, int by)
{
	struct exo_frame *f = frame_entry(pfn);
	struct exo_chunk *k = &frames.chunks[pfn / EXO_CHUNK_FRAMES];
	uint64_t counted = count;
	bool mixed;

	if (!f)                 /* maybe beyond the owner map, where no chunk may be read */
		return;
	mixed = k->mixed;
	if (!mixed && !use_is_counted(k->use))
		return;
	for (; count; count--, f++) {
		if (mixed && !use_is_counted(f->use)) {
			counted--;
			continue;
		}
		__atomic_add_fetch(&f->maps, by, __ATOMIC_RELAXED);
		if (by > 0)
			f->flags = 0;
	}
	__atomic_add_fetch(&k->busy, (int64_t)counted * by, __ATOMIC_RELAXED);
}

/* The same for the frames of entries of any level: pages are counted chunk by chunk. */
static inline void range_count(uint64_t pfn, unsigned level, uint64_t count, int by)
{
	for (; level > 1 && count; count--, pfn += level_frames(level))
		large_count(pfn, level, by);
	while (count) {
		uint64_t some = min_u64(count, EXO_CHUNK_FRAMES - pfn % EXO_CHUNK_FRAMES);

		pages_count(pfn, some, by);
		pfn += some;
		count -= some;
	}
}

void entries_install(uint64_t *pte, unsigned level, uint64_t count, uint64_t value,
		     struct exo_cap *claim, uint32_t most)
{
	uint64_t step = level_frames(level) << EXO_PAGE_SHIFT, id = virt_to_phys(pte) / 8;
	struct shadow *s = shadow_of(pte);
	exo_sid sid = slot_sid(claim);
	uint64_t next;

	range_count(pte_pfn(value), level, count, 1);
	*table_link(table_of(pte), TABLE_GROUPS) |= groups_of(pte, count);
	next = list_hold(claim);
	if (next)
		shadow_of(entry_at(next))->prev = id;
	for (; count; count--, pte++, s++, value += step) {
		*s = (struct shadow){ sid, most, next, id + 1 };
		*pte = value;
		next = id++;
	}
	s[-1].prev = 0;
	list_let_go(claim, next);
}

void entry_remove(uint64_t *pte, unsigned level)
{
	struct shadow *s = shadow_of(pte);
	struct exo_cap *claim = slot_at(s->claim);
	uint64_t pfn = pte_pfn(*pte);

	__atomic_store_n(pte, 0, __ATOMIC_RELAXED);
	entry_pull(s);
	if (level == 1)
		page_uncount(pfn);
	else
		large_count(pfn, level, -1);
	if (claim->kind == EXO_KIND_TRACE)
		slot_at(frame_holder(pfn))->held = 0;
}

/* Remove a leaf entry wherever it hangs, and note it for the TLBs. */
static void entry_end(uint64_t *pte)
{
	unsigned level = *table_link(table_of(pte), TABLE_LEVEL);
	uint64_t va, space = entry_space(pte, &va);

	entry_remove(pte, level);
	if (space)
		tlb_note_end(space, va, level_bytes(level));
}

int entries_unbind(struct exo_cap *c)
{
	while (c->bind) {
		if (work_left <= 0)
			return EXO_MORE;
		work_done(1);
		entry_end(entry_at(c->bind));
	}
	return 0;
}

void trace_unmap(struct exo_cap *object)
{
	if (object->held)
		entry_end(entry_at(object->held));
}

/* Take a table off the entry it hangs on. */
static void table_unhang(uint64_t pfn)
{
	uint64_t parent = *table_link(pfn, TABLE_PARENT), va, space;

	if (!parent)
		return;
	space = entry_space(entry_at(parent), &va);
	leaves_forget();
	*entry_at(parent) = 0;
	*table_link(pfn, TABLE_PARENT) = 0;
	if (space)
		tlb_note_all(space);
}

/* Stop the environments, or VCPUs, that run in a space and part them from it. */
static int space_empty(uint64_t pfn)
{
	uint64_t *head = table_link(pfn, TABLE_ENVS);

	if (*table_link(pfn, TABLE_USE) == EXO_SPACE_GUEST)
		return vcpus_part(pfn);
	while (*head) {
		struct env *e = env_at(*head);
		int more = work_left > 0 ? env_stop(e, EXO_STOP_SPACE) : EXO_MORE;

		if (more)
			return more;
		env_leave_space(e);
		work_done(16);
	}
	return 0;
}

static int space_end(uint64_t pfn)
{
	if (*table_link(pfn, TABLE_USE) != EXO_SPACE_DEVICE)
		return space_empty(pfn);
	pci_space_end(pfn);
	return 0;
}

/*
 * Entries made by one operation stand in a row on their claim's list, each before the one before it
 * in the table, and name frames in a row.  How many do, from this one on, of `most` entries?  Links
 * within a table stay while its lock is held.
 */
static unsigned run_length(const uint64_t *pte, const struct shadow *s, unsigned most)
{
	uint64_t id = virt_to_phys(pte) / 8, pfn = pte_pfn(*pte);
	unsigned n = 1;

	while (n < most && (pte[n] & PTE_P) && pte_pfn(pte[n]) == pfn + n &&
	       s[n].next == id + n - 1)
		n++;
	return n;
}

unsigned run_remove(uint64_t *pte, unsigned most)
{
	const struct shadow *s = shadow_of(pte);
	unsigned count = run_length(pte, s, most);
	const struct exo_cap *claim = slot_at(s->claim);
	uint64_t pfn = pte_pfn(*pte);

	entries_pull(s, s + count - 1);
	for (unsigned i = 0; i < count; i++)
		__atomic_store_n(&pte[i], 0, __ATOMIC_RELAXED);
	range_count(pfn, 1, count, -1);
	/* What a TRACE mapping shows knows of it. */
	for (unsigned i = 0; claim->kind == EXO_KIND_TRACE && i < count; i++)
		slot_at(frame_holder(pfn + i))->held = 0;
	return count;
}

/*
 * Empty entries [i, end) of a table that hangs nowhere, so that nobody translates by them: 0 or
 * EXO_MORE.
 */
static int entries_clear(uint64_t *table, unsigned level, unsigned i, unsigned end)
{
	for (unsigned n; i < end; i += n) {
		n = 1;
		if (!(table[i] & PTE_P))
			continue;
		if (work_left <= 0)
			return EXO_MORE;
		if (level == 1)
			n = run_remove(&table[i], end - i);
		else if (entry_is_leaf(table[i], level))
			entry_remove(&table[i], level);
		else
			table_unhang(pte_pfn(table[i]));
		work_done((int)n);
	}
	return 0;
}

int table_end(uint64_t pfn)
{
	unsigned level = *table_link(pfn, TABLE_LEVEL);
	unsigned last = level == 4 ? EXO_SELF_SLOT : 512;
	uint64_t *table = pfn_to_virt(pfn), groups;

	if (level == 4 && space_end(pfn))
		return EXO_MORE;
	leaves_forget();
	if (level < 4)
		table_unhang(pfn);
	groups = *table_link(pfn, level < 4 ? TABLE_GROUPS : TABLE_TOP_GROUPS);
	for (; groups; groups &= groups - 1) {
		unsigned i = (unsigned)__builtin_ctzll(groups) * 8;

		if (entries_clear(table, level, i, min_u64(i + 8, last)))
			return EXO_MORE;
	}
	return 0;
}

/* Were the shadow frames zero when the table was made? */
static bool shadows_clean(uint64_t pfn)
{
	const struct exo_frame *f = frame_entry(pfn);

	return f[1].flags & f[2].flags & f[3].flags & EXO_FRAME_ZERO;
}

/* Shadows of entries that were never used were never written. */
static void shadows_wipe(struct shadow *s, uint64_t groups)
{
	for (; groups; groups &= groups - 1)
		memset(&s[(unsigned)__builtin_ctzll(groups) * 8], 0, 8 * sizeof(*s));
}

void table_wipe(uint64_t pfn)
{
	uint64_t *table = pfn_to_virt(pfn);
	bool top = *table_link(pfn, TABLE_LEVEL) == 4;

	if (top)
		table[EXO_SELF_SLOT] = 0;
	for (unsigned i = 0; top && i < kernel_half.count; i++)
		table[256 + kernel_half.index[i]] = 0;
	if (!shadows_clean(pfn))
		memset(pfn_to_virt(pfn + 1), 0, (EXO_FRAMES_PT - 1) * EXO_PAGE_SIZE);
	else if (!top)
		shadows_wipe(pfn_to_virt(pfn + 1), *table_link(pfn, TABLE_GROUPS));
}
