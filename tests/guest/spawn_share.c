/* SPDX-License-Identifier: MIT */
/*
 * spawn_share.c - what a started program shares with the boot archive: read-only pages, by the
 * rights its starter has on them, and only as long as it lives.
 */
#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/elf.h>
#include <exos/heap.h>
#include <exos/space.h>
#include <exos/spawn.h>
#include <exos/start.h>
#include "guest.h"
#include "parts.h"

#define FRAMES 400u

/* The suite's own file, its first segment (code) and its second, which is only read. */
struct source {
	struct exos_spawn request;
	struct elf_program program;
	uint64_t code_pfn, text_pfn;    /* frames of the archive where these begin */
};

static uint64_t segment_frame(const struct source *s, const struct elf_segment *g)
{
	return exos_space_frame((uintptr_t)s->request.file + g->file_off - g->skip);
}

static bool source_find(struct source *s)
{
	static const char *const argv[] = { "suite" };
	const struct elf_segment *g = s->program.segment;

	s->request = (struct exos_spawn){ .argc = 1, .argv = argv, .frames = FRAMES, .hold = true };
	s->request.file = parts_program(&s->request.file_bytes);
	if (!expect(s->request.file != NULL) ||
	    !expect(elf_check(s->request.file, s->request.file_bytes, EXOS_IMAGE_VA,
			      EXOS_IMAGE_END, &s->program) == NULL))
		return false;
	s->code_pfn = segment_frame(s, &g[0]);
	s->text_pfn = segment_frame(s, &g[1]);
	return expect(s->program.segments > 1 && g[1].rights == EXO_R_READ && g[1].in_file);
}

static int64_t child_protect(const struct exos_child *child, uint64_t va, uint32_t prot)
{
	struct exo_map_op op = { .op = EXO_PROTECT, .va = va, .pages = 1, .prot = (uint16_t)prot };

	return exo_space_update(child->space, (uint64_t)&op, 1);
}

EXO_TEST(archive_pages_are_shared_by_the_rights_on_them, LONG)
{
	struct exos_child child = { .page = NULL };
	struct source s;
	uint64_t code, text;

	must(source_find(&s));
	code = guest_maps(s.code_pfn);
	text = guest_maps(s.text_pfn);
	must_eq(exos_spawn(&s.request, &child), 0);
	expect_eq(guest_maps(s.text_pfn), text + 1);
	/* Our claim is not for code: that was copied, for the same rights as ever. */
	expect_eq(guest_maps(s.code_pfn), code);
	expect_error(child_protect(&child, s.program.segment[1].va, GUEST_RW), RIGHTS);
	expect_error(child_protect(&child, s.program.segment[1].va, EXO_R_READ | EXO_R_EXEC),
		     RIGHTS);
	expect_eq(child_protect(&child, s.program.segment[1].va, EXO_R_READ), 1);
	expect_eq(exos_child_end(&child), 0);
	expect_eq(guest_maps(s.text_pfn), text);
}

/* A file whose pages are not pages of memory, and one outside the archive. */
EXO_TEST(files_outside_the_archive_are_copied, LONG)
{
	struct exos_child child = { .page = NULL };
	struct source s;
	uint64_t text, copy_pfn, copy_maps;
	uint8_t *copy;

	must(source_find(&s));
	text = guest_maps(s.text_pfn);
	copy = malloc(s.request.file_bytes + 2 * EXO_PAGE_SIZE);
	must(copy != NULL);
	for (unsigned odd = 0; odd < 2; odd++) {
		uint8_t *at = copy + (-(uintptr_t)copy & (EXO_PAGE_SIZE - 1)) + 8ul * odd;

		memcpy(at, parts_program(&s.request.file_bytes), s.request.file_bytes);
		s.request.file = at;
		copy_pfn = segment_frame(&s, &s.program.segment[1]);
		copy_maps = guest_maps(copy_pfn);
		must_eq(exos_spawn(&s.request, &child), 0);
		expect_eq(guest_maps(copy_pfn), copy_maps);
		expect_eq(guest_maps(s.text_pfn), text);
		expect_eq(exos_child_end(&child), 0);
	}
	free(copy);
}
