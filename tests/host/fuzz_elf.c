/* SPDX-License-Identifier: MIT */
/*
 * fuzz_elf.c - arbitrary bytes as a program file: what is accepted keeps the promises of elf.h.
 */
// sources: libexos/elf.c
// includes: exo/base/include exo/include libexos/include
#include <exos/elf.h>

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <base/util.h>
#include <exo/cap.h>

#define LO 0x10000ul
#define HI 0x40000000ul

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise)
{
	if (!promise)
		abort();
}

static void segment_keeps(const struct elf_segment *s, size_t size, uint64_t free_from)
{
	must(s->va % 4096 == 0 && s->va >= free_from && s->pages > 0);
	must(s->pages <= (HI - s->va) / 4096);
	must(s->skip < 4096 && range_fits(s->skip, s->file_bytes, s->pages * 4096));
	must(range_fits(s->file_off, s->file_bytes, size));
	must((s->rights & EXO_R_READ) != 0);
	must((s->rights & (EXO_R_WRITE | EXO_R_EXEC)) != (EXO_R_WRITE | EXO_R_EXEC));
	must((s->rights & ~(uint32_t)(EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC)) == 0);
}

static void check(const uint8_t *data, size_t size)
{
	struct elf_program p;
	uint64_t free_from = LO, pages = 0;
	bool entry = false;

	if (elf_check(data, size, LO, HI, &p) != NULL)
		return;
	must(p.segments > 0 && p.segments <= ELF_SEGMENTS);
	for (uint32_t i = 0; i < p.segments; i++) {
		const struct elf_segment *s = &p.segment[i];

		segment_keeps(s, size, free_from);
		free_from = s->va + s->pages * 4096;
		pages += s->pages;
		entry |= (s->rights & EXO_R_EXEC) != 0 && p.entry >= s->va && p.entry < free_from;
	}
	must(pages == p.pages && entry);
}

/* The bytes as they are, and once more behind a sound start, so that chance gets further. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const Elf64_Ehdr sound = {
		.e_ident = "\177ELF\2\1\1", .e_type = ET_EXEC, .e_machine = EM_X86_64,
		.e_version = 1, .e_entry = 0x401000, .e_phoff = 64, .e_ehsize = 64,
		.e_phentsize = 56, .e_phnum = 2,
	};
	uint8_t *copy = malloc(sizeof(sound) + size);

	check(data, size);
	memcpy(copy, &sound, sizeof(sound));
	memcpy(copy + sizeof(sound), data, size);
	check(copy, sizeof(sound) + size);
	free(copy);
	return 0;
}
