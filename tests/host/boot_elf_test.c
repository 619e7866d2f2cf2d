/* SPDX-License-Identifier: MIT */
/*
 * boot_elf_test.c - the loader's check of init: a sound file, the same with each field changed, and
 * random damage, after which an accepted plan must still keep its promises.
 */
// sources: uefi/elf.c exo/base/format.c exo/base/string.c
// flags: -fno-builtin -Dmemcpy=t_memcpy -Dmemmove=t_memmove -Dmemset=t_memset -Dmemcmp=t_memcmp
// flags: -Dmemchr=t_memchr -Dstrlen=t_strlen -Dstrnlen=t_strnlen -Dstrcmp=t_strcmp
// flags: -Dstrncmp=t_strncmp -Dstrchr=t_strchr -Dstrrchr=t_strrchr
#include <elf.h>
#include <stdlib.h>

#include "../../uefi/elf.h"
#include "test.h"

#include <exo/cap.h>
#include <exo/space.h>

#define FILE_BYTES 0x3000u

static struct {
	Elf64_Ehdr e;
	Elf64_Phdr p[3];
	unsigned char rest[FILE_BYTES - sizeof(Elf64_Ehdr) - 3 * sizeof(Elf64_Phdr)];
} f;
static struct elf_plan plan;
static struct why why;

static void sound(void)
{
	memset(&f, 0, sizeof(f));
	memset(f.rest, 0xcc, sizeof(f.rest));
	memcpy(f.e.e_ident, "\177ELF\2\1\1", 7);
	f.e.e_type = ET_EXEC;
	f.e.e_machine = EM_X86_64;
	f.e.e_version = 1;
	f.e.e_entry = 0x400010;
	f.e.e_phoff = sizeof(f.e);
	f.e.e_phentsize = sizeof(f.p[0]);
	f.e.e_phnum = 3;
	f.p[0] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0x1000, 0x400000, 0, 0x800, 0x800, 4096 };
	f.p[1] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 0x2010, 0x402010, 0, 0x20, 0x5000, 4096 };
	f.p[2] = (Elf64_Phdr){ PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16 };
}

static bool make(uint64_t bytes)
{
	return elf_plan_make(&plan, "init", &f, bytes, &why);
}

static void refused(const char *words)
{
	why.text[0] = 0;
	if (make(sizeof(f)))
		test_fail("accepted, expected \"%s\"", words);
	else if (!strstr(why.text, words))
		test_fail("refused with \"%s\", expected \"%s\"", why.text, words);
}

TEST(sound_file_is_planned)
{
	sound();
	REQUIRE(make(sizeof(f)));
	REQUIRE(plan.parts == 2);
	CHECK_EQ(plan.entry, 0x400010);
	CHECK_EQ(plan.part[0].va, 0x400000);
	CHECK_EQ(plan.part[0].pages, 1);
	CHECK_EQ(plan.part[0].rights, EXO_R_READ | EXO_R_EXEC);
	CHECK_EQ(plan.part[1].va, 0x402000);
	CHECK_EQ(plan.part[1].pages, 6);        /* 0x402010 to 0x407010 */
	CHECK_EQ(plan.part[1].skip, 0x10);
	CHECK_EQ(plan.part[1].rights, EXO_R_READ | EXO_R_WRITE);
}

TEST(part_is_copied_and_the_rest_zeroed)
{
	unsigned char *to = malloc(6 * 4096);

	sound();
	REQUIRE(to && make(sizeof(f)));
	memset(to, 0xee, 6 * 4096);
	elf_part_copy(&plan.part[1], &f, to);
	CHECK_EQ(to[0xf], 0);
	CHECK_EQ(to[0x10], 0xcc);
	CHECK_EQ(to[0x2f], 0xcc);
	CHECK_EQ(to[0x30], 0);
	CHECK_EQ(to[6 * 4096 - 1], 0);
	free(to);
}

TEST(damaged_headers_are_refused)
{
	sound(); f.e.e_ident[0] = 0; refused("not an ELF64");
	sound(); f.e.e_ident[EI_CLASS] = ELFCLASS32; refused("not an ELF64");
	sound(); f.e.e_ident[EI_DATA] = ELFDATA2MSB; refused("not an ELF64");
	sound(); f.e.e_machine = EM_386; refused("not for x86-64");
	sound(); f.e.e_type = ET_DYN; refused("static executable");
	sound(); f.e.e_phentsize = 32; refused("program headers");
	sound(); f.e.e_phnum = 0; refused("program headers");
	sound(); f.e.e_phnum = 65; refused("program headers");
	sound(); f.e.e_phoff = sizeof(f); refused("headers lie outside");
	sound(); f.e.e_phoff = UINT64_MAX - 8; refused("headers lie outside");
	sound(); f.e.e_entry = 0x402020; refused("its entry");
	sound(); f.e.e_entry = 0x400800; refused("its entry");
	sound(); f.e.e_entry = 0; refused("its entry");
	sound();
	for (uint64_t bytes = 0; bytes < 0x2030; bytes += 7)
		CHECK(!make(bytes));
	CHECK(make(0x2030));
}

TEST(stacks_that_need_not_be_zero_are_planned_like_others)
{
	sound();
	f.p[1].p_flags |= 0x100000;
	REQUIRE(make(sizeof(f)));
	CHECK_EQ(plan.part[1].rights, EXO_R_READ | EXO_R_WRITE);
}

TEST(damaged_segments_are_refused)
{
	sound(); f.p[0].p_filesz = 0x801; refused("outside the file");
	sound(); f.p[0].p_offset = UINT64_MAX; refused("outside the file");
	sound(); f.p[1].p_vaddr = UINT64_MAX - 10; refused("outside the user");
	sound(); f.p[1].p_vaddr = EXO_USER_TOP - 16; refused("outside the user");
	sound(); f.p[0].p_vaddr = 0; refused("outside the user");
	sound(); f.p[1].p_memsz = 5ul << 20; refused("more than the loader");
	sound(); f.p[1].p_memsz = UINT64_MAX; refused("outside the user");
	sound(); f.p[0].p_flags = PF_R | PF_W | PF_X; refused("writable and executable");
	sound(); f.p[0].p_flags = PF_X; refused("flags");
	sound(); f.p[0].p_flags = PF_R | 16; refused("flags");
	sound(); f.p[1].p_vaddr = 0x400f00; refused("overlap");
	sound(); f.p[1].p_vaddr = 0x300000; refused("ascending");
	sound(); f.p[2].p_type = PT_INTERP; refused("dynamic linker");
	sound(); f.p[2].p_type = PT_DYNAMIC; refused("dynamic linker");
	sound(); f.p[2].p_type = PT_TLS; refused("thread-local");
}

TEST(more_segments_than_the_boot_block_holds)
{
	static struct { Elf64_Ehdr e; Elf64_Phdr p[9]; } many;

	sound();
	many.e = f.e;
	many.e.e_phnum = 9;
	many.e.e_entry = 0x400000;
	for (unsigned i = 0; i < 9; i++)
		many.p[i] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, 0x400000 + i * 0x1000, 0,
					  16, 16, 0 };
	CHECK(!elf_plan_make(&plan, "init", &many, sizeof(many), &why));
	CHECK(strstr(why.text, "more than 8") != NULL);
	many.e.e_phnum = 8;
	CHECK(elf_plan_make(&plan, "init", &many, sizeof(many), &why));
}

/* What elf.h promises of every accepted plan. */
static bool plan_is_sound(void)
{
	bool entry = false;

	for (uint32_t i = 0; i < plan.parts; i++) {
		const struct elf_part *p = &plan.part[i];
		uint64_t end = p->va + p->pages * 4096ul;

		if (p->va % 4096 || p->va < 4096 || end > EXO_USER_TOP ||
		    p->pages > ELF_PART_PAGES || p->skip + p->bytes > p->pages * 4096ul ||
		    p->offset + p->bytes > sizeof(f) ||
		    (i && p->va < p[-1].va + p[-1].pages * 4096ul) ||
		    (p->rights & EXO_R_WRITE && p->rights & EXO_R_EXEC))
			return false;
		entry |= p->rights & EXO_R_EXEC && plan.entry >= p->va && plan.entry < end;
	}
	return entry && plan.parts <= EXO_BOOT_SEGS;
}

TEST(random_damage_never_breaks_the_promises)
{
	unsigned accepted = 0;

	srand(1);
	for (unsigned round = 0; round < 200000; round++) {
		unsigned char *bytes = (unsigned char *)&f;
		unsigned hits = 1 + (unsigned)rand() % 3;

		sound();
		for (unsigned i = 0; i < hits; i++)
			bytes[(unsigned)rand() % (sizeof(f.e) + sizeof(f.p))] =
				(unsigned char)rand();
		if (!make(sizeof(f)))
			continue;
		accepted++;
		REQUIRE(plan_is_sound());
	}
	CHECK(accepted > 1000);         /* fields that do not matter were hit too */
}

TEST_MAIN
