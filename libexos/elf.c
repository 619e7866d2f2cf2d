/* SPDX-License-Identifier: MIT */
/*
 * elf.c - the check of program files.
 *
 * Invariant: nothing read from the file is used before it was compared with the file's size and
 * with the address window.  Nothing is loaded here (see spawn.c).
 */
#include <exos/elf.h>

#include <base/string.h>
#include <base/util.h>
#include <exo/cap.h>
#include <exo/types.h>

/* ELF-64 file header, figure 2 of the format. */
struct elf_header {
	uint8_t  ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF-64 file header");

/* Program header, figure 6. */
struct elf_part {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf_part) == 56, "ELF-64 program header");

enum {
	IDENT_CLASS = 4, IDENT_DATA = 5, IDENT_VERSION = 6, IDENT_OSABI = 7,
	CLASS_64 = 2, DATA_LITTLE = 1, VERSION_CURRENT = 1, OSABI_SYSV = 0, OSABI_GNU = 3,
	TYPE_EXEC = 2, TYPE_DYN = 3, MACHINE_X86_64 = 62,
	PART_LOAD = 1, PART_DYNAMIC = 2, PART_INTERP = 3, PART_TLS = 7,
	PART_GNU_STACK = 0x6474e551,
	FLAG_EXEC = 1, FLAG_WRITE = 2, FLAG_READ = 4,
	FLAG_UNSET = 0x100000,          /* of those left to operating systems; see elf.h */
};

static const char *elf_check_ident(const uint8_t *ident)
{
	static const uint8_t magic[4] = { 0x7f, 'E', 'L', 'F' };

	if (memcmp(ident, magic, sizeof(magic)) != 0)
		return "not an ELF file";
	if (ident[IDENT_CLASS] != CLASS_64)
		return "not a 64-bit ELF file";
	if (ident[IDENT_DATA] != DATA_LITTLE)
		return "not a little-endian ELF file";
	if (ident[IDENT_VERSION] != VERSION_CURRENT)
		return "unknown version of the ELF format";
	if (ident[IDENT_OSABI] != OSABI_SYSV && ident[IDENT_OSABI] != OSABI_GNU)
		return "ELF file for another operating system's ABI";
	return NULL;
}

static const char *elf_check_header(const struct elf_header *h, size_t size)
{
	if (h->machine != MACHINE_X86_64)
		return "program for another processor, not x86-64";
	if (h->type == TYPE_DYN)
		return "position-independent or shared object: link it static, with -no-pie";
	if (h->type != TYPE_EXEC)
		return "ELF file is not an executable";
	if (h->version != VERSION_CURRENT)
		return "unknown version of the ELF format";
	if (h->flags != 0)
		return "unknown processor flags in the ELF header";
	if (h->ehsize != sizeof(*h))
		return "wrong size of the ELF header";
	if (h->phnum == 0)
		return "no program headers";
	if (h->phnum > ELF_HEADERS)
		return "more than 32 program headers";
	if (h->phentsize != sizeof(struct elf_part))
		return "wrong size of a program header";
	if (!range_fits(h->phoff, (uint64_t)h->phnum * sizeof(struct elf_part), size))
		return "program headers lie outside the file";
	return NULL;
}

static const char *elf_check_bytes(const struct elf_part *p, size_t size)
{
	if (p->filesz > p->memsz)
		return "segment has more bytes in the file than in memory";
	if (!range_fits(p->offset, p->filesz, size))
		return "segment lies outside the file: the file is truncated";
	if (p->align > 1 && (p->align & (p->align - 1)) != 0)
		return "segment alignment is not a power of two";
	if (p->align > 1 && ((p->vaddr ^ p->offset) & (p->align - 1)) != 0)
		return "segment's address and file offset disagree about its alignment";
	return NULL;
}

static const char *elf_check_flags(const struct elf_part *p)
{
	if ((p->flags & ~(uint32_t)(FLAG_READ | FLAG_WRITE | FLAG_EXEC | FLAG_UNSET)) != 0)
		return "unknown segment flags";
	if ((p->flags & FLAG_UNSET) != 0 && (p->filesz != 0 || (p->flags & FLAG_WRITE) == 0))
		return "segment that is to be written first has contents, or cannot be written";
	if ((p->flags & FLAG_READ) == 0)
		return "segment is not readable";
	if ((p->flags & FLAG_WRITE) != 0 && (p->flags & FLAG_EXEC) != 0)
		return "segment is writable and executable at once";
	return NULL;
}

/* Append a loadable part to the program.  [lo, hi) is what is still free of the window. */
static const char *elf_add(const struct elf_part *p, uint64_t lo, uint64_t hi,
			   struct elf_program *out)
{
	uint64_t end;
	struct elf_segment *s;

	if (p->memsz > hi || p->vaddr > hi - p->memsz)
		return "segment lies above the addresses a program may use";
	if (round_down(p->vaddr, EXO_PAGE_SIZE) < lo)
		return out->segments == 0 ? "segment lies below the addresses a program may use"
					  : "segments overlap, share a page or are out of order";
	if (out->segments == ELF_SEGMENTS)
		return "more than 8 loadable segments";
	end = round_up(p->vaddr + p->memsz, EXO_PAGE_SIZE);
	s = &out->segment[out->segments++];
	s->va = round_down(p->vaddr, EXO_PAGE_SIZE);
	s->pages = (end - s->va) / EXO_PAGE_SIZE;
	s->skip = p->vaddr - s->va;
	s->file_off = p->offset;
	s->file_bytes = p->filesz;
	s->rights = EXO_R_READ | (p->flags & FLAG_WRITE ? EXO_R_WRITE : 0u) |
		    (p->flags & FLAG_EXEC ? EXO_R_EXEC : 0u);
	s->in_file = p->filesz == p->memsz;
	s->unset = (p->flags & FLAG_UNSET) != 0;
	out->pages += s->pages;
	return NULL;
}

static const char *elf_check_load(const struct elf_part *p, size_t size, uint64_t lo, uint64_t hi,
				  struct elf_program *out)
{
	const char *why;

	if ((why = elf_check_bytes(p, size)) != NULL)
		return why;
	if ((why = elf_check_flags(p)) != NULL)
		return why;
	if (p->memsz == 0)
		return NULL;
	if (out->segments > 0) {
		const struct elf_segment *last = &out->segment[out->segments - 1];

		lo = last->va + last->pages * EXO_PAGE_SIZE;
	}
	return elf_add(p, lo, hi, out);
}

static const char *elf_check_part(const struct elf_part *p, size_t size, uint64_t lo, uint64_t hi,
				  struct elf_program *out)
{
	switch (p->type) {
	case PART_LOAD:
		return elf_check_load(p, size, lo, hi, out);
	case PART_DYNAMIC:
	case PART_INTERP:
		return "needs a dynamic linker: link it static";
	case PART_TLS:
		return "uses thread-local storage, which is not set up here";
	case PART_GNU_STACK:
		return p->flags & FLAG_EXEC ? "wants an executable stack" : NULL;
	default:
		return NULL;    /* notes and the like: not loaded, not read */
	}
}

static const char *elf_check_entry(const struct elf_program *p)
{
	for (uint32_t i = 0; i < p->segments; i++) {
		const struct elf_segment *s = &p->segment[i];
		uint64_t lo = s->va + s->skip;

		if ((s->rights & EXO_R_EXEC) != 0 && p->entry >= lo &&
		    p->entry - lo < s->file_bytes)
			return NULL;
	}
	return "its entry address is not in an executable segment";
}

const char *elf_check(const void *bytes, size_t size, uint64_t lo, uint64_t hi,
		      struct elf_program *out)
{
	struct elf_header h;
	struct elf_part part;
	struct elf_program program;
	const char *why;

	if (size < sizeof(h))
		return "shorter than an ELF header";
	memcpy(&h, bytes, sizeof(h));
	if ((why = elf_check_ident(h.ident)) != NULL)
		return why;
	if ((why = elf_check_header(&h, size)) != NULL)
		return why;
	memset(&program, 0, sizeof(program));
	program.entry = h.entry;
	for (uint32_t i = 0; i < h.phnum; i++) {
		memcpy(&part, (const char *)bytes + h.phoff + i * sizeof(part), sizeof(part));
		if ((why = elf_check_part(&part, size, lo, hi, &program)) != NULL)
			return why;
	}
	if (program.segments == 0)
		return "no loadable segment";
	if ((why = elf_check_entry(&program)) != NULL)
		return why;
	*out = program;
	return NULL;
}
