/* SPDX-License-Identifier: MIT */
/*
 * elf.c - checking the first program's ELF file and planning its pages.
 *
 * Invariant: what elf_plan_make accepts lies inside the file, below EXO_USER_TOP, page by page
 * apart, and nothing is both writable and executable.  Knows no firmware, maps nothing.
 */
#include "elf.h"

#include <exo/cap.h>
#include <exo/space.h>

#include <base/string.h>
#include <base/util.h>

/* ELF64 header and program header, with the specification's field names. */
struct ehdr {
	unsigned char e_ident[16];
	uint16_t e_type, e_machine;
	uint32_t e_version;
	uint64_t e_entry, e_phoff, e_shoff;
	uint32_t e_flags;
	uint16_t e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
};
struct phdr {
	uint32_t p_type, p_flags;
	uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
};
_Static_assert(sizeof(struct ehdr) == 64, "ELF64 header");
_Static_assert(sizeof(struct phdr) == 56, "ELF64 program header");

enum { ET_EXEC = 2, EM_X86_64 = 62, EV_CURRENT = 1 };
enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3, PT_TLS = 7 };
enum { PF_X = 1, PF_W = 2, PF_R = 4, PF_UNSET = 0x100000 /* stacks: need not be zero */ };
enum { PHNUM_MAX = 64 };

static const unsigned char ident[7] = { 0x7f, 'E', 'L', 'F', 2 /* 64 bit */, 1 /* little */, 1 };

static bool header_check(const struct ehdr *h, uint64_t bytes, const char *name, struct why *why)
{
	if (bytes < sizeof(*h) || memcmp(h->e_ident, ident, sizeof(ident)) != 0)
		return refuse(why, "%s: not an ELF64 file", name);
	if (h->e_machine != EM_X86_64 || h->e_version != EV_CURRENT)
		return refuse(why, "%s: not for x86-64", name);
	if (h->e_type != ET_EXEC)
		return refuse(why, "%s: not a static executable; link it with -static -no-pie",
			      name);
	if (h->e_phentsize != sizeof(struct phdr) || h->e_phnum == 0 || h->e_phnum > PHNUM_MAX)
		return refuse(why, "%s: %u program headers of %u bytes", name, h->e_phnum,
			      h->e_phentsize);
	if (!range_fits(h->e_phoff, h->e_phnum * sizeof(struct phdr), bytes))
		return refuse(why, "%s: its program headers lie outside the file", name);
	return true;
}

static bool segment_check(const struct phdr *p, uint64_t bytes, const char *name, struct why *why)
{
	if (p->p_filesz > p->p_memsz || !range_fits(p->p_offset, p->p_filesz, bytes))
		return refuse(why, "%s: a segment lies outside the file", name);
	if (p->p_vaddr < EXO_PAGE_SIZE || !range_fits(p->p_vaddr, p->p_memsz, EXO_USER_TOP))
		return refuse(why, "%s: a segment lies outside the user addresses", name);
	if (p->p_memsz > (ELF_PART_PAGES - 1) * EXO_PAGE_SIZE)
		return refuse(why, "%s: a segment has %lu bytes, more than the loader lays out; "
			      "take big arrays from the heap", name, p->p_memsz);
	if ((p->p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
		return refuse(why, "%s: a segment is writable and executable", name);
	if (!(p->p_flags & PF_R) || (p->p_flags & ~(PF_R | PF_W | PF_X | PF_UNSET)))
		return refuse(why, "%s: a segment has the flags 0x%x", name, p->p_flags);
	return true;
}

static void part_fill(struct elf_part *part, const struct phdr *p)
{
	uint64_t lo = round_down(p->p_vaddr, EXO_PAGE_SIZE);
	uint64_t hi = round_up(p->p_vaddr + p->p_memsz, EXO_PAGE_SIZE);

	part->va = lo;
	part->pages = (uint32_t)((hi - lo) >> EXO_PAGE_SHIFT);
	part->rights = EXO_R_READ | (p->p_flags & PF_W ? EXO_R_WRITE : 0) |
		       (p->p_flags & PF_X ? EXO_R_EXEC : 0);
	part->offset = p->p_offset;
	part->bytes = p->p_filesz;
	part->skip = p->p_vaddr - lo;
}

static bool part_add(struct elf_plan *plan, const struct phdr *p, const char *name,
		     struct why *why)
{
	struct elf_part *part = &plan->part[plan->parts];

	if (plan->parts == EXO_BOOT_SEGS)
		return refuse(why, "%s: more than %u segments", name, EXO_BOOT_SEGS);
	part_fill(part, p);
	if (plan->parts && part->va < part[-1].va + part[-1].pages * EXO_PAGE_SIZE)
		return refuse(why, "%s: segments overlap in a page, or are not ascending", name);
	plan->parts++;
	return true;
}

static bool entry_check(const struct elf_plan *plan, const char *name, struct why *why)
{
	for (uint32_t i = 0; i < plan->parts; i++) {
		const struct elf_part *p = &plan->part[i];

		if ((p->rights & EXO_R_EXEC) && plan->entry >= p->va + p->skip &&
		    plan->entry - p->va - p->skip < p->bytes)
			return true;
	}
	return refuse(why, "%s: its entry 0x%lx is not in an executable segment", name,
		      plan->entry);
}

static bool program_header(struct elf_plan *plan, const struct phdr *p, uint64_t bytes,
			   const char *name, struct why *why)
{
	if (p->p_type == PT_DYNAMIC || p->p_type == PT_INTERP || p->p_type == PT_TLS)
		return refuse(why, "%s: needs a dynamic linker or thread-local storage", name);
	if (p->p_type != PT_LOAD || p->p_memsz == 0)
		return true;
	return segment_check(p, bytes, name, why) && part_add(plan, p, name, why);
}

bool elf_plan_make(struct elf_plan *plan, const char *name, const void *file, uint64_t bytes,
		   struct why *why)
{
	struct ehdr h = { .e_type = 0 };

	memcpy(&h, file, min_u64(bytes, sizeof(h)));
	if (!header_check(&h, bytes, name, why))
		return false;
	*plan = (struct elf_plan){ .entry = h.e_entry };
	for (uint32_t i = 0; i < h.e_phnum; i++) {
		struct phdr p;

		memcpy(&p, (const char *)file + h.e_phoff + i * sizeof(p), sizeof(p));
		if (!program_header(plan, &p, bytes, name, why))
			return false;
	}
	return entry_check(plan, name, why);
}

void elf_part_copy(const struct elf_part *part, const void *file, void *to)
{
	char *d = to;
	uint64_t end = part->skip + part->bytes;

	memset(d, 0, part->skip);
	memcpy(d + part->skip, (const char *)file + part->offset, part->bytes);
	memset(d + end, 0, part->pages * EXO_PAGE_SIZE - end);
}
