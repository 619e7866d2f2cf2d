/* SPDX-License-Identifier: MIT */
/*
 * elf.c - starting files that lie: refused in words, with nothing lost; the honest file then
 * starts.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/frame.h>
#include <exos/heap.h>
#include <exos/slot.h>
#include <exos/spawn.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "parts.h"
#include "peer.h"

#define SECOND 1000000000ull
#define FRAMES 512u

/* Offsets in an ELF-64 header and a program header (System V ABI, chapter 4 and 5). */
enum { E_TYPE = 16, E_MACHINE = 18, E_ENTRY = 24, E_PHOFF = 32, E_PHENTSIZE = 54, E_PHNUM = 56,
      EHDR = 64,
       P_FLAGS = 4, P_OFFSET = 8, P_VADDR = 16, P_FILESZ = 32, P_MEMSZ = 40, PHDR = 56 };

/* One lie: `bytes` bytes at `at` (behind the first load header's start if `load`) become value. */
static const struct lie {
	uint32_t at, bytes, load;
	uint64_t value;
} lies[] = {
	{ 0, 4, 0, 0 }, { 4, 1, 0, 1 }, { 5, 1, 0, 2 }, { E_TYPE, 2, 0, 3 }, { E_MACHINE, 2, 0, 3 },
	{ E_ENTRY, 8, 0, 0 }, { E_ENTRY, 8, 0, ~0ull }, { E_ENTRY, 8, 0, 0xffffffff80000000 },
	{ E_PHOFF, 8, 0, ~0ull }, { E_PHOFF, 8, 0, 1ull << 63 }, { E_PHENTSIZE, 2, 0, 1 },
	{ E_PHNUM, 2, 0, 0xffff }, { E_PHNUM, 2, 0, 0 },
	{ P_FLAGS, 4, 1, 7 }, { P_OFFSET, 8, 1, ~0ull }, { P_OFFSET, 8, 1, 1ull << 62 },
	{ P_VADDR, 8, 1, 0 }, { P_VADDR, 8, 1, 0xffffffff80000000 },
		{ P_VADDR, 8, 1, 0x7ffffffff000 },
	{ P_FILESZ, 8, 1, ~0ull }, { P_FILESZ, 8, 1, 1ull << 40 }, { P_MEMSZ, 8, 1, 1 },
	{ P_MEMSZ, 8, 1, ~0ull }, { P_MEMSZ, 8, 1, 1ull << 46 }, { P_MEMSZ, 8, 1, 64 << 20 },
};

static char *file;      /* a copy of the own program, to lie in */
static size_t file_bytes;

/* The first program header of type LOAD. */
static uint32_t load_header(void)
{
	uint64_t at;

	memcpy(&at, file + E_PHOFF, 8);
	while (file[at] != 1)
		at += PHDR;
	return (uint32_t)at;
}

/* Where the last byte stands that is loaded: what is cut before it must be refused. */
static uint64_t loaded_bytes(void)
{
	uint64_t end = 0, off, size;
	uint16_t count;

	memcpy(&count, file + E_PHNUM, 2);
	for (uint32_t at = load_header(), i = 0; i < count && file[at] == 1; i++, at += PHDR) {
		memcpy(&off, file + at + P_OFFSET, 8);
		memcpy(&size, file + at + P_FILESZ, 8);
		end = size ? max_u64(end, off + size) : end;
	}
	return end;
}

static int try_spawn(struct exos_child *child, size_t bytes)
{
	static const char *const argv[] = { "suite", "part", "nothing" };
	struct exos_spawn request = { .file = file, .file_bytes = bytes, .argc = 3, .argv = argv,
				      .frames = FRAMES, .hold = true };

	*child = (struct exos_child){ .page = NULL };
	return exos_spawn(&request, child);
}

/* Frames and slots that are free now, as one number. */
static uint64_t free_things(void)
{
	struct exos_frame_stats stats;

	exos_frame_stats(&stats);
	return stats.free << 32 | exos_slot_free_count();
}

static bool copy_file(void)
{
	const void *program = parts_program(&file_bytes);

	file = program ? malloc(file_bytes) : NULL;
	if (!expect(file != NULL))
		return false;
	memcpy(file, program, file_bytes);
	return true;
}

static bool honest_file_runs(void)
{
	const struct exos_grant *time = peer_time(exos_page()->cpu);
	struct exos_spawn_time slots = { time->slot, (uint32_t)time->lo, (uint32_t)time->lo + 2,
					1 };
	struct exos_child child;
	bool good;

	if (!expect_eq(try_spawn(&child, file_bytes), 0))
		return false;
	good = expect_eq(exos_child_time(&child, &slots, 1), 0) &&
		expect_eq(exos_child_start(&child), 0) &&
	       expect_eq(exos_child_wait(&child, exos_deadline(20 * SECOND)), EXO_STOP_EXIT) &&
	       expect_eq(child.page->exit_code, 0);
	return expect_eq(exos_child_end(&child), 0) && good;
}

EXO_TEST(program_files_that_lie_are_refused, LONG)
{
	struct exos_child child;
	uint64_t before;

	must(copy_file());
	must(honest_file_runs());
	before = free_things();
	for (unsigned i = 0; i < ARRAY_LEN(lies); i++) {
		char *at = file + lies[i].at + (lies[i].load ? load_header() : 0);
		uint64_t truth;

		memcpy(&truth, at, 8);
		memcpy(at, &lies[i].value, lies[i].bytes);
		if (try_spawn(&child, file_bytes) >= 0) {
			guest_fail("lie %u was believed", i);
			exos_child_end(&child);
		} else {
			expect(child.why != NULL && child.why[0]);
		}
		memcpy(at, &truth, 8);
		must_eq(free_things(), before);
	}
	for (size_t bytes = 0; bytes < loaded_bytes(); bytes = bytes * 2 + 1)
		expect_refused(try_spawn(&child, bytes));
	must_eq(free_things(), before);
	must(honest_file_runs());
}

EXO_TEST(program_files_with_random_headers, LONG)
{
	struct exos_child child;
	uint64_t before;
	unsigned refused = 0;

	must(copy_file());
	must(honest_file_runs());
	before = free_things();
	for (unsigned i = 0; i < 300; i++) {
		uint64_t at = guest_below(EHDR + 4 * PHDR);
		char truth = file[at];

		file[at] = (char)guest_random();
		if (try_spawn(&child, file_bytes) < 0)
			refused++;
		else
			must_eq(exos_child_end(&child), 0);
		file[at] = truth;
		must_eq(free_things(), before);
	}
	expect(refused > 0);
	must(honest_file_runs());
}

EXO_TEST(programs_with_too_little_memory_are_refused, LONG)
{
	static const char *const argv[] = { "suite", "part", "nothing" };
	uint64_t before;
	unsigned frames = 1;
	int err = -1;

	must(copy_file());
	must(honest_file_runs());
	before = free_things();
	for (; frames < FRAMES && err < 0; frames += 7) {
		struct exos_child child = { .page = NULL };
		struct exos_spawn request = { .file = file, .file_bytes = file_bytes, .argc = 3,
					      .argv = argv, .frames = frames, .hold = true };

		err = exos_spawn(&request, &child);
		if (err < 0)
			expect(child.why != NULL);
		else
			must_eq(exos_child_end(&child), 0);
		must_eq(free_things(), before);
	}
	expect_eq(err, 0);
	expect(frames > 8);
}
