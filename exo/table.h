/* SPDX-License-Identifier: MIT */
/*
 * table.h - page table objects: walking them, their entries, their shadows, their end.
 *
 * A page table object is four frames: the table and three shadow frames, which hold for each
 * entry the slot that authorised it and its links on that slot's binding list.  Invariant: the
 * lists and the present leaf entries are a bijection.  All of it runs with tree_lock held, the
 * whole of it where nothing else is said.
 */
#ifndef EXO_TABLE_H
#define EXO_TABLE_H

#include <exo/cap.h>
#include <exo/space.h>

#include "cpu.h"
#include "frame.h"
#include "x86/direct.h"
#include "x86/pte.h"

/* One for each entry of a table.  Entries are named by physical address / 8. */
struct shadow {
	exo_sid  claim;         /* that authorised the entry; only a present leaf entry has one */
	uint32_t most;          /* EXO_R_* the entry may be given */
	uint64_t next, prev;    /* entries on the claim's list; 0: none */
};

/* What the map entry of each frame of a page table object links to. */
enum table_link {
	TABLE_PARENT,           /* the entry it hangs on; 0: on none */
	TABLE_LEVEL,
	TABLE_ENVS,             /* level 4: pfn of the first environment or VCPU in it; of a
				 * DEVICE space: place of the first function it is bound to */
	TABLE_GROUPS = TABLE_ENVS, /* level 1 to 3: a bit for each 8 entries, set if one of them was
				 * ever used */
	TABLE_USE,              /* level 4: enum exo_space_use */
	TABLE_LOCK = TABLE_USE, /* level 1 to 3: struct lock of its leaf entries, for holders of a
				 * share of tree_lock */
	TABLE_TOP_GROUPS = TABLE_PARENT /* level 4, which hangs nowhere: its groups */
};
static inline uint64_t *table_link(uint64_t pfn, enum table_link which)
{
	return &frame_entry(pfn + which)->object;
}

static inline struct lock *table_lock(const uint64_t *pte)
{
	return (struct lock *)table_link(virt_to_phys(pte) >> EXO_PAGE_SHIFT, TABLE_LOCK);
}
_Static_assert(sizeof(struct lock) == sizeof(uint64_t), "a lock fits into a link");

/* The bit of an entry's group. */
static inline uint64_t group_of(const uint64_t *pte)
{
	return 1ull << (uintptr_t)pte / 64 % 64;
}

/* The bits of the groups of `count` entries of one table, at least 1. */
static inline uint64_t groups_of(const uint64_t *pte, uint64_t count)
{
	return (group_of(pte + count - 1) << 1) - group_of(pte);
}

/* Make the four frames an empty page table of `level` (1 to 3). */
void table_make(uint64_t pfn, unsigned level);

/* An empty space; an environment's also gets the kernel's half. */
void table_make_space(uint64_t pfn, uint64_t use);

/* A bounded piece of taking a page table, or a whole space, apart: 0 or EXO_MORE. */
int table_end(uint64_t pfn);

/*
 * Nothing uses it any more: zero what table_end left in its frames, which is not its entries.  Of
 * shadow frames that were zero when the table was made, only what was used since.
 */
void table_wipe(uint64_t pfn);

/*
 * The table of `level` that translates va in the space, or NULL if there is none.  *big says
 * whether a large page is mapped there instead.
 */
static inline uint64_t *table_walk(uint64_t space, uint64_t va, unsigned level, bool *big)
{
	uint64_t *table = pfn_to_virt(space);

	*big = false;
	for (unsigned shift = 39; shift > 3 + 9 * level; shift -= 9) {
		uint64_t pte = table[va >> shift & 511];

		if ((pte & (PTE_P | PTE_PS)) != PTE_P) {
			*big = pte & PTE_P;
			return NULL;
		}
		table = phys_to_virt(pte & PTE_PFN_MASK);
	}
	return table;
}

/* Is an entry of a table of `level` a mapping (not empty, not a link to a table)? */
static inline bool entry_is_leaf(uint64_t pte, unsigned level)
{
	return (pte & PTE_P) && (level == 1 || (pte & PTE_PS));
}

/* The bits of a mapping with these rights. */
static inline uint64_t prot_bits(unsigned prot)
{
	return PTE_P | PTE_U | (prot & EXO_R_WRITE ? PTE_W : 0) | (prot & EXO_R_EXEC ? 0 : PTE_NX);
}

/*
 * Give an entry other rights; the processor may set its accessed and dirty bits meanwhile.  Not 0
 * if rights were lost.
 */
static inline uint64_t entry_protect(uint64_t *pte, uint64_t bits)
{
	uint64_t old = *pte, off = old & ~bits & (PTE_W | PTE_NX), on = bits & ~old;

	if (off)
		__atomic_and_fetch(pte, ~off, __ATOMIC_RELAXED);
	if (on)
		__atomic_or_fetch(pte, on, __ATOMIC_RELAXED);
	return (off & PTE_W) | (on & PTE_NX);
}

static inline struct shadow *shadow_of(const uint64_t *pte)
{
	uint64_t pa = virt_to_phys(pte);
	struct shadow *s = phys_to_virt((pa & PTE_PFN_MASK) + EXO_PAGE_SIZE);

	return &s[pa / 8 % 512];
}

/*
 * A claim's list of mappings is held by whoever found its head there; it is let go by putting the
 * head back, the same or another.  Who holds all of tree_lock finds no list held.
 */
#define LIST_HELD (~0ull)

static inline uint64_t list_hold(struct exo_cap *claim)
{
	uint64_t head;

	while ((head = __atomic_exchange_n(&claim->bind, LIST_HELD, __ATOMIC_ACQUIRE)) == LIST_HELD)
		spin_wait();
	return head;
}

static inline void list_let_go(struct exo_cap *claim, uint64_t head)
{
	__atomic_store_n(&claim->bind, head, __ATOMIC_RELEASE);
}

/* Put an entry, whose shadow *s is written here, first on the claim's list; take one off. */
static inline void entry_push(uint64_t *pte, struct shadow *s, struct exo_cap *claim, uint32_t most)
{
	uint64_t id = virt_to_phys(pte) / 8, head = list_hold(claim);

	s->claim = (exo_sid)(virt_to_phys(claim) / sizeof(*claim));
	s->most = most;
	s->next = head;
	s->prev = 0;
	if (head)
		shadow_of(phys_to_virt(head * 8))->prev = id;
	list_let_go(claim, id);
}

/* Entries of one table that follow each other, in the table and backwards on the list. */
static inline void entries_pull(const struct shadow *first, const struct shadow *last)
{
	struct exo_cap *claim = phys_to_virt(first->claim * sizeof(struct exo_cap));
	uint64_t head = list_hold(claim), next = first->next, prev = last->prev;

	if (prev)
		shadow_of(phys_to_virt(prev * 8))->next = next;
	else
		head = next;
	if (next)
		shadow_of(phys_to_virt(next * 8))->prev = prev;
	list_let_go(claim, head);
}

static inline void entry_pull(const struct shadow *s)
{
	entries_pull(s, s);
}

/*
 * Write `count` empty entries of one table, `value` into the first, and put them on the claim's
 * list.  Each next maps the next frames.  For this and the next two functions a share of tree_lock
 * and the table's lock are enough.
 */
void entries_install(uint64_t *pte, unsigned level, uint64_t count, uint64_t value,
		     struct exo_cap *claim, uint32_t most);
/* Empty a leaf entry and take it off its claim's list.  The translation may still be cached. */
void entry_remove(uint64_t *pte, unsigned level);
/*
 * The same for the present leaf entry of a small page and those of up to `most` that were made with
 * it: how many, at least 1.
 */
unsigned run_remove(uint64_t *pte, unsigned most);

/* A bounded piece of removing every mapping made by the claim: 0 or EXO_MORE. */
int entries_unbind(struct exo_cap *c);

/* End the one TRACE mapping that an object may have. */
void trace_unmap(struct exo_cap *object);

/* A table goes from its place: no CPU remembers any. */
static inline void leaves_forget(void)
{
	for (unsigned i = 0; i < cpu_count; i++)
		cpus[i]->leaf.space = 0;
}

/* The leaf table for va, or NULL.  A share of tree_lock is enough. */
static inline uint64_t *leaf_table(uint64_t space, uint64_t va, bool *big)
{
	struct leaf_cache *l = &this_cpu()->leaf;

	*big = false;
	if (l->space == space && l->region == va >> 21)
		return l->table;
	l->table = table_walk(space, va, 1, big);
	l->space = l->table && *table_link(space, TABLE_USE) == EXO_SPACE_ENV ? space : 0;
	l->region = va >> 21;
	if (l->table) {
		l->shadow = shadow_of(l->table);
		l->groups = table_link(virt_to_phys(l->table) >> EXO_PAGE_SHIFT, TABLE_GROUPS);
		l->lock = table_lock(l->table);
	}
	return l->table;
}

#endif
