/* SPDX-License-Identifier: MIT */
/*
 * elf_test.c - the check of program files: one sound file, and that file with each field changed.
 *
 * Invariant: each case names the refusal it expects, so that a file refused for another reason
 * fails.
 */
// sources: libexos/elf.c
// includes: exo/base/include exo/include libexos/include
#include <exos/elf.h>

#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <exo/cap.h>

#define LO 0x10000ul
#define HI 0x40000000ul
#define FILE_BYTES 0x3000u
#define UNSET 0x100000u         /* flag of segments that need not be zero */

struct image {
	Elf64_Ehdr h;
	Elf64_Phdr p[4];        /* text, data, stack, a note */
	unsigned char rest[FILE_BYTES - sizeof(Elf64_Ehdr) - 4 * sizeof(Elf64_Phdr)];
};

static int failures;

static void image_fill(struct image *m)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->h.e_ident, "\177ELF\2\1\1", 7);
	m->h.e_type = ET_EXEC;
	m->h.e_machine = EM_X86_64;
	m->h.e_version = 1;
	m->h.e_entry = 0x401010;
	m->h.e_phoff = sizeof(Elf64_Ehdr);
	m->h.e_ehsize = sizeof(Elf64_Ehdr);
	m->h.e_phentsize = sizeof(Elf64_Phdr);
	m->h.e_phnum = 4;
	m->p[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0x1000,
		.p_vaddr = 0x401000, .p_filesz = 0x800, .p_memsz = 0x800, .p_align = 0x1000 };
	m->p[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x1810,
		.p_vaddr = 0x402810, .p_filesz = 0x100, .p_memsz = 0x3000, .p_align = 0x1000 };
	m->p[2] = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W };
	m->p[3] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_flags = PF_R, .p_offset = ~0ul };
}

static void say(const char *name, const char *want, const char *got)
{
	if ((want == NULL && got == NULL) ||
	    (want != NULL && got != NULL && strstr(got, want) != NULL)) {
		printf("ok elf_%s\n", name);
		return;
	}
	printf("FAIL elf_%s: expected \"%s\", got \"%s\"\n", name, want ? want : "accepted",
	       got ? got : "accepted");
	failures++;
}

/* One changed field: where it is, how wide, its new value, the refusal expected. */
struct lie {
	const char *name;
	size_t at, width;
	unsigned long value;
	const char *want;
};
#define H(field) offsetof(struct image, h.field), sizeof(((Elf64_Ehdr *)0)->field)
#define P(n, field) offsetof(struct image, p[n].field), sizeof(((Elf64_Phdr *)0)->field)
#define IDENT(n) offsetof(struct image, h.e_ident[n]), 1

static const struct lie lies[] = {
	{ "magic", IDENT(0), 0x7e, "not an ELF" },
	{ "class_32", IDENT(4), 1, "64-bit" },
	{ "big_endian", IDENT(5), 2, "little-endian" },
	{ "ident_version", IDENT(6), 0, "version" },
	{ "osabi_gnu_accepted", IDENT(7), 3, NULL },
	{ "osabi_freebsd", IDENT(7), 9, "another operating system" },
	{ "type_dyn", H(e_type), ET_DYN, "position-independent" },
	{ "type_rel", H(e_type), ET_REL, "not an executable" },
	{ "machine", H(e_machine), EM_AARCH64, "another processor" },
	{ "version", H(e_version), 2, "version" },
	{ "flags", H(e_flags), 1, "processor flags" },
	{ "ehsize", H(e_ehsize), 63, "ELF header" },
	{ "phentsize", H(e_phentsize), 32, "size of a program header" },
	{ "phnum_0", H(e_phnum), 0, "no program headers" },
	{ "phnum_33", H(e_phnum), 33, "more than 32" },
	{ "phnum_xnum", H(e_phnum), 0xffff, "more than 32" },
	{ "phoff_past_end", H(e_phoff), FILE_BYTES - 1, "outside the file" },
	{ "phoff_huge", H(e_phoff), ~0ul, "outside the file" },
	{ "phoff_last_fit", H(e_phoff), FILE_BYTES - 4 * 56, "no loadable" },
	{ "phoff_one_too_far", H(e_phoff), FILE_BYTES - 4 * 56 + 1, "outside the file" },
	{ "entry_before", H(e_entry), 0x400fff, "entry" },
	{ "entry_behind", H(e_entry), 0x401800, "entry" },
	{ "entry_last_byte", H(e_entry), 0x4017ff, NULL },
	{ "entry_in_data", H(e_entry), 0x402820, "entry" },
	{ "entry_kernel", H(e_entry), 0xffffffff80000000ul, "entry" },
	{ "interp", P(2, p_type), PT_INTERP, "dynamic linker" },
	{ "dynamic", P(2, p_type), PT_DYNAMIC, "dynamic linker" },
	{ "tls", P(2, p_type), PT_TLS, "thread-local" },
	{ "stack_exec", P(2, p_flags), PF_R | PF_W | PF_X, "executable stack" },
	{ "filesz_over_memsz", P(1, p_filesz), 0x3001, "more bytes in the file" },
	{ "offset_truncated", P(1, p_offset), 0x2f10, "truncated" },
	{ "offset_huge", P(1, p_offset), ~0xffful + 0x810, "truncated" },
	{ "filesz_huge", P(0, p_filesz), ~0ul, "more bytes in the file" },
	{ "align_3", P(0, p_align), 3, "power of two" },
	{ "align_0_accepted", P(0, p_align), 0, NULL },
	{ "align_disagrees", P(1, p_align), 0x8000, "disagree" },
	{ "offset_disagrees", P(1, p_offset), 0x1811, "disagree" },
	{ "flags_unknown", P(0, p_flags), 0x10005, "unknown segment flags" },
	{ "flags_no_read", P(0, p_flags), PF_X, "not readable" },
	{ "flags_wx", P(0, p_flags), PF_R | PF_W | PF_X, "writable and executable" },
	{ "flags_unset_with_bytes", P(1, p_flags), PF_R | PF_W | UNSET, "written first" },
	{ "flags_unset_read_only", P(0, p_flags), PF_R | PF_X | UNSET, "written first" },
	{ "no_exec_anywhere", P(0, p_flags), PF_R, "entry" },
	{ "memsz_wraps", P(1, p_memsz), ~0ul - 0x402000, "above" },
	{ "memsz_max", P(1, p_memsz), ~0ul, "above" },
	{ "memsz_one_past_window", P(1, p_memsz), HI - 0x402810 + 1, "above" },
	{ "memsz_to_window_end", P(1, p_memsz), HI - 0x402810, NULL },
	{ "vaddr_below_window", P(0, p_vaddr), 0xf000, "below" },
	{ "vaddr_zero", P(0, p_vaddr), 0, "below" },
	{ "vaddr_kernel", P(1, p_vaddr), 0xffffffff80000810ul, "above" },
	{ "vaddr_same_page", P(1, p_vaddr), 0x401810, "overlap" },
	{ "vaddr_out_of_order", P(1, p_vaddr), 0x400810, "overlap" },
	{ "empty_segment_skipped", P(1, p_type), PT_NULL, NULL },
	{ "text_not_loaded", P(0, p_type), PT_NOTE, "entry" },
};

static void test_lies(void)
{
	struct image *m = malloc(sizeof(*m));
	struct elf_program p;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		image_fill(m);
		memcpy((char *)m + lies[i].at, &lies[i].value, lies[i].width);
		say(lies[i].name, lies[i].want, elf_check(m, sizeof(*m), LO, HI, &p));
	}
	free(m);
}

/* Every shorter file is refused, and none is read past its end (the sanitizer would say). */
static void test_truncated(void)
{
	struct image m;
	struct elf_program p;
	size_t needed = 0x1910; /* the last byte of the data segment */
	bool sound = true;

	image_fill(&m);
	for (size_t size = 0; size <= sizeof(m); size++) {
		char *copy = malloc(size ? size : 1);
		const char *why;

		memcpy(copy, &m, size);
		why = elf_check(copy, size, LO, HI, &p);
		if ((why == NULL) != (size >= needed))
			sound = false;
		free(copy);
	}
	say("truncated", NULL, sound ? NULL : "a short file accepted or a whole one refused");
}

static void test_result(void)
{
	struct image m;
	struct elf_program p;
	const struct elf_segment *s = p.segment;

	image_fill(&m);
	say("sound", NULL, elf_check(&m, sizeof(m), LO, HI, &p));
	say("program", NULL,
	    p.entry == 0x401010 && p.segments == 2 && p.pages == 5 ? NULL : "wrong");
	say("text", NULL, s[0].va == 0x401000 && s[0].pages == 1 && s[0].skip == 0 &&
	    s[0].file_off == 0x1000 && s[0].file_bytes == 0x800 &&
	    s[0].rights == (EXO_R_READ | EXO_R_EXEC) ? NULL : "wrong");
	say("data", NULL, s[1].va == 0x402000 && s[1].pages == 4 && s[1].skip == 0x810 &&
	    s[1].file_off == 0x1810 && s[1].file_bytes == 0x100 &&
	    s[1].rights == (EXO_R_READ | EXO_R_WRITE) ? NULL : "wrong");
}

/* A segment without bytes in the file may say that it need not be zero; no other does. */
static void test_unset(void)
{
	struct image m;
	struct elf_program p;

	image_fill(&m);
	m.p[1].p_filesz = 0;
	say("no_bytes", NULL, elf_check(&m, sizeof(m), LO, HI, &p));
	say("no_bytes_are_zeroed", NULL, p.segments == 2 && !p.segment[1].unset ? NULL : "wrong");
	m.p[1].p_flags |= UNSET;
	say("unset", NULL, elf_check(&m, sizeof(m), LO, HI, &p));
	say("unset_is_said", NULL, !p.segment[0].unset && p.segment[1].unset ? NULL : "wrong");
	m.p[1].p_flags = PF_R | UNSET;
	say("unset_read_only", "written first", elf_check(&m, sizeof(m), LO, HI, &p));
}

static void test_many_segments(void)
{
	struct image m;
	struct elf_program p;
	Elf64_Phdr *part = m.p;

	for (int n = 8; n <= 9; n++) {
		image_fill(&m);
		m.h.e_phnum = n;
		m.h.e_entry = 0x1000000;
		for (int i = 0; i < n; i++)
			part[i] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X,
				.p_vaddr = 0x1000000 + i * 0x1000ul, .p_filesz = 16,
				.p_memsz = 16 };
		say(n == 8 ? "eight_segments" : "nine_segments", n == 8 ? NULL : "more than 8",
		    elf_check(&m, sizeof(m), LO, HI, &p));
	}
}

/* A refused file leaves the result as it was. */
static void test_untouched(void)
{
	struct image m;
	struct elf_program p, before;

	image_fill(&m);
	memset(&p, 0x5a, sizeof(p));
	before = p;
	m.h.e_entry = 0;
	say("refused", "entry", elf_check(&m, sizeof(m), LO, HI, &p));
	say("refused_untouched", NULL, memcmp(&p, &before, sizeof(p)) == 0 ? NULL : "written to");
}

int main(void)
{
	test_result();
	test_lies();
	test_truncated();
	test_unset();
	test_many_segments();
	test_untouched();
	return failures != 0;
}
