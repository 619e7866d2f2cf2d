/* SPDX-License-Identifier: MIT */
/*
 * others.c - other programs, as system.h wants them, on exo: each a start of the member `other`
 * (other.c) with little memory.
 */
#include <base/format.h>
#include <base/util.h>
#include <exos/archive.h>
#include <exos/call.h>
#include <exos/frame.h>
#include <exos/spawn.h>
#include <exos/start.h>
#include <exos/time.h>

#include "bench.h"
#include "system.h"

#define OTHERS_MAX 63u
#define TIMES_MAX  16u
#define FRAMES     128u         /* of each */

static struct exos_child child[OTHERS_MAX];
static uint32_t children;
static exo_slot first;          /* of the ring */

/* Time slots of a processor for it; of ours, where we run too, every other one. */
static uint32_t times_fill(struct exos_spawn_time *times, uint32_t cpu)
{
	const uint32_t step = cpu == exos_page()->cpu ? 2 : 1;
	const struct exos_grant *g;
	uint32_t count = 0;

	for (unsigned n = 0; (g = exos_grant("slots", n)) && count < TIMES_MAX; n++)
		if (g->unit == cpu && g->hi - g->lo >= step)
			times[count++] = (struct exos_spawn_time){
				g->slot, (uint32_t)g->lo + step - 1, (uint32_t)g->hi, step,
			};
	return count;
}

/*
 * Start one.  next: whom it gives the processor to, having read `number` bytes, or 0: it does work
 * `number` in these time slots, of which there are `count`.
 */
static int other_start(exo_slot next, const struct exos_spawn_time *times, uint32_t count,
		       uint32_t number)
{
	static struct exos_archive archive;
	char text[12];
	const char *argv[] = { "other", text };
	struct exos_spawn_grant grant = {
		.name = "next", .slot = next, .rights = EXO_R_RUN | EXO_R_NOTIFY,
	};
	struct exos_spawn request = {
		.argc = 2, .argv = argv, .grant = &grant, .grants = next != 0, .frames = FRAMES,
		.time = times, .times = count,
	};

	if (children == OTHERS_MAX || (!archive.count && exos_archive_open(&archive)) ||
	    exos_archive_find(&archive, "other", &request.file, &request.file_bytes))
		return -1;
	format_buffer(text, sizeof(text), "%u", number);
	if (exos_spawn(&request, &child[children]) < 0) {
		printf("bench: other: %s\n", child[children].why);
		return -1;
	}
	children++;
	return 0;
}

static uint64_t count_of(uint32_t i)
{
	return *(volatile uint64_t *)&child[i].page->exit_code;
}

static uint64_t count_all(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < children; i++)
		sum += count_of(i);
	return sum;
}

static void end_all(void)
{
	while (children)
		exos_child_end(&child[--children]);
	bench_slots_take();
}

/* From the last, who gives it to us, to the first; each must be there before it is in the ring. */
int system_ring_start(uint32_t count, uint32_t bytes)
{
	first = exos_grant("env", 0)->slot;
	for (uint32_t i = 0; i < count; i++) {
		if (other_start(first, NULL, 0, bytes))
			return -1;
		first = child[i].env;
		while (!count_of(i) && exos_child_runs(&child[i]))
			exo_env_yield(first);
		if (!exos_child_runs(&child[i]))
			return -1;
	}
	return 0;
}

void system_ring_round(void)
{
	exo_env_yield(first);
}

uint64_t system_ring_count(void)
{
	return count_all();
}

void system_ring_end(void)
{
	end_all();
}

int system_work_start(uint32_t cpus, enum system_work work)
{
	static struct exos_spawn_time times[TIMES_MAX];

	for (uint32_t i = 0; i < cpus; i++) {
		uint32_t count = times_fill(times, (exos_page()->cpu + i) % system_cpus());

		if (other_start(0, times, count, work))
			return -1;
	}
	return 0;
}

uint64_t system_work_count(void)
{
	return count_all();
}

void system_work_end(void)
{
	end_all();
}

/* The longest run of slots of this processor that is ours to fill. */
static const struct exos_grant *slots_longest(void)
{
	const struct exos_grant *g, *found = NULL;

	for (unsigned n = 0; (g = exos_grant("slots", n)); n++)
		if (g->unit == exos_page()->cpu &&
		    (!found || g->hi - g->lo > found->hi - found->lo))
			found = g;
	return found;
}

/*
 * Each has `share` slots of every `sum` that follow each other, as far as they go.  The first of
 * the run stays ours: what those before it do not use is lent to who comes next, and that is not
 * them.
 */
int system_shares_start(const uint32_t *share, uint32_t count)
{
	static struct exos_spawn_time times[TIMES_MAX];
	const struct exos_grant *g = slots_longest();
	uint32_t sum = 0, lo, hi;

	for (uint32_t i = 0; i < count; i++)
		sum += share[i];
	if (!g || sum > TIMES_MAX || g->hi - g->lo <= sum)
		return -1;
	lo = (uint32_t)g->lo + 1;
	hi = lo + (uint32_t)(g->hi - lo) / sum * sum;
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t n = 0; n < share[i]; n++)
			times[n] = (struct exos_spawn_time){ g->slot, lo++, hi, sum };
		if (other_start(0, times, share[i], SYSTEM_WORK_PROTECT))
			return -1;
	}
	return 0;
}

uint64_t system_share_count(uint32_t i)
{
	return count_of(i);
}

uint32_t system_cpus(void)
{
	return exos_machine()->cpus;
}

void system_sleep(uint32_t ms)
{
	uint64_t until = insn_tsc() + bench_tsc_hz / 1000 * ms;

	while (insn_tsc() < until)
		exo_env_wait(exos_page()->event_head, until);
}

void system_stay(uint32_t ms)
{
	uint64_t until = insn_tsc() + bench_tsc_hz / 1000 * ms;

	while (insn_tsc() < until)
		;
}
