/* SPDX-License-Identifier: MIT */
/*
 * own.c - one's own libOS in 60 lines: 4 MiB of memory in 16 page frames.
 *
 * Each page of a read-only table of squares is computed when it is first touched, into a frame
 * that another page gives up.  Which one is this program's policy (the oldest), not the system's:
 * the kernel only checks that the frames are ours.  Everything else is the default library.
 */
#include <exos/call.h>
#include <exos/console.h>
#include <exos/frame.h>
#include <exos/pager.h>
#include <exos/space.h>

#define FRAMES 16u
#define PAGES  1024u
#define WORDS  (EXO_PAGE_SIZE / sizeof(uint64_t))

static uint64_t (*frame)[WORDS];        /* the frames, all writable here */
static uint64_t shown[FRAMES];          /* the address each one is shown at, 0: none */
static uint64_t first_pfn, faults;
static exo_slot claim;

/* A page is missing: the oldest frame gives up its page and becomes this one. */
static int squares_fault(struct exos_region *region, struct exos_fault *fault)
{
	uint64_t va = fault->va & ~(EXO_PAGE_SIZE - 1), turn = faults++ % FRAMES;
	uint64_t word = (va - region->lo) / sizeof(uint64_t);

	if (fault->error & EXOS_FAULT_WRITE)
		return -EXO_E_RIGHTS;
	if (shown[turn] != 0)
		exos_space_unmap(&exos_space_own, shown[turn], 1);
	for (uint64_t i = 0; i < WORDS; i++)
		frame[turn][i] = (word + i) * (word + i);
	shown[turn] = va;
	return exos_space_map(&exos_space_own, va, claim, first_pfn + turn, 1, EXO_R_READ);
}

int main(int argc, char **argv)
{
	static const struct exos_pager squares = { .name = "squares", .fault = squares_fault };
	static struct exos_region region = { .prot = EXO_R_READ, .pager = &squares };
	const uint64_t n = PAGES * WORDS, *square;
	uint64_t sum = 0;

	if (exos_frame_alloc(FRAMES, &first_pfn, &claim) < 0)
		return 1;
	frame = exos_space_window(claim, first_pfn, FRAMES, EXO_R_READ | EXO_R_WRITE, NULL);
	region.lo = exos_space_reserve(PAGES * EXO_PAGE_SIZE);
	region.hi = region.lo + PAGES * EXO_PAGE_SIZE;
	if (frame == NULL || region.lo == 0 || exos_region_add(&region) < 0)
		return 1;
	square = (const uint64_t *)region.lo;
	for (uint64_t i = 0; i < n; i++)
		sum += square[i];
	printf("%s: %u pages through %u frames, %lu faults, sum %lu\n", argc > 0 ? argv[0] : "own",
	       PAGES, FRAMES, faults, sum);
	return sum == (n - 1) * n * (2 * n - 1) / 6 && faults == PAGES ? 0 : 2;
}
