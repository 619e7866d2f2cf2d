/* SPDX-License-Identifier: MIT */
/*
 * mem.c - every frame of the machine: by who holds it, and by what it is used for.
 */
#include <base/util.h>
#include <exos/console.h>
#include <exos/frame.h>
#include <exos/pager.h>
#include <exos/start.h>

#include "machine.h"
#include "shell.h"

struct totals {
	uint64_t use[EXO_USE_COUNT];    /* frames in all */
	uint64_t nobody[EXO_USE_COUNT]; /* held by no environment */
};

static void totals_add(void *context, const struct frame_run *run)
{
	struct totals *t = context;
	unsigned use = run->use < EXO_USE_COUNT ? run->use : (unsigned)EXO_USE_NONE;

	t->use[use] += run->count;
	if (machine_holder(run->holder) == 0)
		t->nobody[use] += run->count;
}

/* What of a holder's frames is neither memory nor device: kernel objects of all kinds. */
static uint64_t frames_objects(const uint64_t *frames)
{
	uint64_t sum = 0;

	for (unsigned use = EXO_USE_TABLE; use < EXO_USE_COUNT; use++)
		sum += frames[use];
	return sum;
}

static void holder_print(const char *name, const uint64_t *frames)
{
	printf("%-14s %12lu %12lu %12lu\n", name, (unsigned long)frames[EXO_USE_MEMORY],
	       (unsigned long)frames_objects(frames), (unsigned long)frames[EXO_USE_DEVICE]);
}

/* Frames of our own that go when an allocation needs them. */
static uint64_t frames_cached(void)
{
	uint64_t pages = 0;

	for (struct exos_region *r = exos_region_next(0); r; r = exos_region_next(r->hi))
		if (r->flags & EXOS_REGION_REBUILD)
			pages += r->pages;
	return pages;
}

static void uses_print(const struct totals *t)
{
	const struct exo_machine *m = exos_machine();
	const uint64_t cached = frames_cached();
	struct exos_frame_stats stats;

	printf("\n%-24s %12s %12s\n", "USE", "FRAMES", "KiB");
	for (unsigned use = EXO_USE_NONE + 1; use < EXO_USE_COUNT; use++)
		if (t->use[use] > 0)
			printf("%-24s %12lu %12lu\n", use_text(use), (unsigned long)t->use[use],
			       (unsigned long)t->use[use] * 4);
	printf("usable RAM: %lu frames; at boot the kernel kept %lu and left %lu free\n",
	       (unsigned long)m->ram_frames, (unsigned long)m->kept_frames,
	       (unsigned long)m->free_frames);
	exos_frame_stats(&stats);
	printf("free for programs: %lu frames, %lu of them with cached blocks in them\n",
	       stats.free + cached, cached);
}

int mem_run(int argc, char **argv)
{
	struct totals totals = { { 0 }, { 0 } };
	struct env_list list;
	char name[ENV_NAME];

	if (argc > 1)
		return commands_usage(argv[0]);
	if (!env_list_take(&list)) {
		printf("mem: out of memory\n");
		return 1;
	}
	machine_frames(totals_add, &totals);
	printf("%-14s %12s %12s %12s\n", "HOLDER", "MEMORY", "OBJECTS", "DEVICE");
	for (size_t i = 0; i < list.count && !term_interrupted(); i++)
		holder_print(env_list_name(&list, list.at[i].pfn, name), list.at[i].frames);
	holder_print("(nobody)", totals.nobody);
	env_list_free(&list);
	uses_print(&totals);
	return 0;
}
