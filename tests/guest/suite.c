/* SPDX-License-Identifier: MIT */
/*
 * suite.c - run each test in an environment of its own and see that nothing is left of it.
 *
 * The program is started twice over: by init as the suite, and by the suite, with arguments
 * `test NAME`, as one test.  A test passes when its environment exits with SUITE_EXIT_OK in time
 * and owner map, table, slice vectors and interrupts are afterwards as they were before.
 *
 * Lines on the console: `run NAME`, `note: ...`, then `ok NAME`, `FAIL NAME: reason` or
 * `skip NAME: reason`; at the end `suite: end NONCE passed=N failed=N skipped=N`.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/archive.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/frame.h>
#include <exos/heap.h>
#include <exos/spawn.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "parts.h"
#include "suite.h"

#define SECONDS      1000000000ull
#define FRAMES_USUAL 2048u
#define FRAMES_BIG   20480u
#define FRAMES_HUGE  112640u
#define FRAMES_KEPT  2048u      /* for the suite itself, beside a test that has all there is */

/* Made by the linker around the section that EXO_TEST fills. */
extern const struct guest_test *const __start_exo_tests[], *const __stop_exo_tests[];

static const void *program;     /* the suite's own ELF file, in the boot archive */
static size_t program_bytes;
static struct snapshot *before, *after;
static unsigned passed, failed, skipped;

/* Why a test cannot run on this machine, or NULL. */
static const char *missing(const struct guest_test *test)
{
	if ((test->needs & GUEST_SMP) && exos_machine()->cpus < 2)
		return "needs two CPUs";
	if ((test->needs & GUEST_DISK) && !exos_grant("disk", 0))
		return "needs a disk";
	if ((test->needs & GUEST_NIC) && !exos_grant("nic", 0))
		return "needs a NIC";
	return NULL;
}

static void report(const struct guest_test *test, const char *reason)
{
	if (reason)
		printf("FAIL %s: %s\n", test->name, reason);
	else
		printf("ok %s\n", test->name);
	if (reason)
		failed++;
	else
		passed++;
}

static void report_skip(const struct guest_test *test, const char *reason)
{
	printf("skip %s: %s\n", test->name, reason);
	skipped++;
}

/*
 * Wait for the test's end; its reason to fail in the buffer, or an empty string; true: it
 * skipped.
 */
static bool watch(const struct guest_test *test, struct exos_child *child, char *reason,
		  size_t bytes)
{
	uint64_t limit = (test->needs & GUEST_NAMED ? 100000 :
			  test->needs & GUEST_LONG ? 120 : 30) * SECONDS;
	uint32_t why = exos_child_wait(child, exos_deadline(limit));
	uint64_t code = child->page->exit_code;

	reason[0] = 0;
	if (why == EXO_STOP_RUNS)
		format_buffer(reason, bytes, "no end within %llu s",
			      (unsigned long long)(limit / SECONDS));
	else if (why != EXO_STOP_EXIT)
		format_buffer(reason, bytes, "%s, vector %llu at %#llx, address %#llx",
			      exos_stop_text(why),
			      (unsigned long long)child->page->area[EXO_AREA_DOUBLE].vector,
			      (unsigned long long)child->page->area[EXO_AREA_DOUBLE].rip,
			      (unsigned long long)child->page->area[EXO_AREA_DOUBLE].cr2);
	else if (code == SUITE_EXIT_FAIL)
		format_buffer(reason, bytes, "%s", "expectations failed");
	else if (code != SUITE_EXIT_OK && code != SUITE_EXIT_SKIP)
		format_buffer(reason, bytes, "exit code %#llx", (unsigned long long)code);
	return why == EXO_STOP_EXIT && code == SUITE_EXIT_SKIP;
}

/* How much memory a test gets. */
static uint64_t frames_for(uint32_t needs)
{
	struct exos_frame_stats stats;

	if (!(needs & GUEST_HUGE))
		return needs & GUEST_BIG ? FRAMES_BIG : FRAMES_USUAL;
	exos_frame_stats(&stats);
	return stats.largest > FRAMES_BIG + FRAMES_KEPT
		       ? min_u64(FRAMES_HUGE, stats.largest - FRAMES_KEPT) : FRAMES_BIG;
}

/* Start a test on its home CPU, wait, end it; as watch. */
static bool run_child(const struct guest_test *test, unsigned home, char *reason, size_t bytes)
{
	const char *argv[] = { "suite", "test", test->name };
	struct exos_child child = { .page = NULL };
	struct exos_spawn request = {
		.file = program, .file_bytes = program_bytes, .argc = 3, .argv = argv,
		.frames = frames_for(test->needs),
	};
	bool skips;
	int err;

	suite_grant(&request, test->needs, home);
	err = exos_spawn(&request, &child);
	if (err < 0) {
		format_buffer(reason, bytes, "could not be started: %s (%s)",
			      child.why ? child.why : "?", exo_error_name(err));
		return false;
	}
	skips = watch(test, &child, reason, bytes);
	err = exos_child_end(&child);
	if (err < 0 && !reason[0])
		format_buffer(reason, bytes, "could not be ended: %s", exo_error_text(err));
	return skips;
}

/*
 * After a leak: keep the memory that the test had (the allocator hands out the same again), so
 * that its fault is not the next test's too.
 */
static void quarantine(const struct guest_test *test)
{
	exo_slot claim;
	uint64_t pfn;

	if (exos_frame_alloc(frames_for(test->needs), &pfn, &claim) < 0)
		printf("note: no memory to put the test's own out of use\n");
}

static void run_test(const struct guest_test *test, unsigned number)
{
	char reason[160];
	unsigned changed;
	bool skips;

	printf("run %s\n", test->name);
	if (missing(test)) {
		report_skip(test, missing(test));
		return;
	}
	snapshot_take(before);
	skips = run_child(test, number % exos_machine()->cpus, reason, sizeof(reason));
	snapshot_take(after);
	changed = snapshot_compare(before, after);
	if (changed)
		quarantine(test);
	if (changed && !reason[0])
		format_buffer(reason, sizeof(reason), "left %u things changed", changed);
	if (skips && !reason[0])
		report_skip(test, "see the note");
	else
		report(test, reason[0] ? reason : NULL);
}

/* Started as a test: run it. */
static int run_here(const char *name)
{
	for (const struct guest_test *const *t = __start_exo_tests; t < __stop_exo_tests; t++) {
		if (strcmp((*t)->name, name))
			continue;
		(*t)->run();
		if (suite_word("pairs"))
			pairs_print();
		return guest_failures() ? SUITE_EXIT_FAIL : SUITE_EXIT_OK;
	}
	return SUITE_EXIT_FAIL;
}

/* Find the own program, and memory for comparing; NULL or what is missing. */
static const char *prepare(void)
{
	static struct exos_archive archive;
	static const struct guest_test warm_up = { "warm_up", NULL, SHORT };
	const char *why;
	char reason[160];

	if (!exos_machine() || !exos_grant("slots", 0))
		return "the suite needs the grants export, slots, archive and trace";
	why = exos_archive_open(&archive);
	if (!why)
		why = exos_archive_find(&archive, "app", &program, &program_bytes);
	if (why)
		return why;
	before = snapshot_make();
	after = snapshot_make();
	if (!before || !after)
		return "no memory to compare the machine before and after";
	suite_time();
	/*
	 * A test that does not exist: from now on the libraries have all they will ever allocate.
	 */
	run_child(&warm_up, 0, reason, sizeof(reason));
	free(malloc(1));
	return NULL;
}

/* Kernel entries so far on a CPU. */
static uint64_t entries_on(uint32_t cpu)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_cpu_stats *s = exos_machine_at(m->stats_off + cpu * EXO_PAGE_SIZE);

	return s->entries;
}

/* Tests have their homes on all CPUs by turns: each CPU's counters must show it. */
static void report_spread(void)
{
	static const struct guest_test spread = { "suite_spread", NULL, SHORT };
	uint32_t idle = 0;

	for (uint32_t cpu = 0; cpu < exos_machine()->cpus; cpu++) {
		printf("suite: %lu entries on CPU %u\n", entries_on(cpu), cpu);
		idle += entries_on(cpu) < 10000;
	}
	report(&spread, idle ? "a CPU had next to nothing to do" : NULL);
}

/* Part of the verdict on a whole suite only: of a few tests it would say too little. */
static void report_latency(bool whole)
{
	static const struct guest_test latency = { "suite_latency", NULL, SHORT };
	bool good;

	if (!suite_latency_measured())
		return;
	good = suite_latency_good();
	if (whole)
		report(&latency, good ? NULL : "interrupts were off for too long");
}

int main(int argc, char **argv)
{
	const char *only, *nonce, *why;
	unsigned number = 0;

	if (argc == 3 && !strcmp(argv[1], "test"))
		return run_here(argv[2]);
	if (argc > 2 && !strcmp(argv[1], "part"))
		return parts_play(argc, argv);
	why = prepare();
	if (why) {
		printf("suite: cannot begin: %s\n", why);
		return SUITE_EXIT_FAIL;
	}
	only = suite_word("test=only");
	for (const struct guest_test *const *t = __start_exo_tests; t < __stop_exo_tests; t++)
		if (only ? suite_listed(only, (*t)->name) : !((*t)->needs & GUEST_NAMED))
			run_test(*t, number++);
	if (!only)
		report_spread();
	report_latency(!only);
	nonce = suite_word("test=nonce");
	printf("suite: end %.*s passed=%u failed=%u skipped=%u\n", nonce ? 16 : 4,
	       nonce ? nonce : "none", passed, failed, skipped);
	return failed ? SUITE_EXIT_FAIL : SUITE_EXIT_OK;
}
