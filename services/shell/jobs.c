/* SPDX-License-Identifier: MIT */
/*
 * jobs.c - run and kill: programs as children of the shell.
 *
 * Invariant: each job of the list has time slots on its CPU until it is taken off the list; what
 * it had comes back to the shell exactly once.
 */
#include "jobs.h"

#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/heap.h>
#include <exos/spawn.h>
#include <exos/time.h>

#include "load.h"
#include "shell.h"

#define GRANTS   8u             /* claims a job is given at most */
#define LOOK_NS  50000000ull    /* how often a waiting shell looks for Ctrl-C */
#define MIB      (1u << 20)

struct job {
	struct job *next;
	unsigned    number;
	uint32_t    cpu;
	struct exos_child child;
	char        name[24];
};

static struct job *jobs;
static bool background;

/* What a run command asks for. */
struct run {
	uint64_t frames;
	struct exos_spawn_grant grant[GRANTS];
	uint32_t grants;
	int      first;         /* index of PROGRAM in argv */
};

void jobs_background(int on)
{
	background = on != 0;
}

const struct exos_child *jobs_on_cpu(uint32_t cpu, uint32_t n)
{
	for (struct job *j = jobs; j != NULL; j = j->next)
		if (j->cpu == cpu && n-- == 0)
			return &j->child;
	return NULL;
}

void jobs_text(uint64_t env, char *out, size_t bytes)
{
	out[0] = '\0';
	for (struct job *j = jobs; j != NULL; j = j->next)
		if (j->child.page->env_pfn == env)
			format_buffer(out, bytes, "%u", j->number);
}

/* Numbers are small and free again when their job is gone. */
static unsigned job_number(void)
{
	unsigned number = 1;

	for (struct job *j = jobs; j != NULL; j = j->next)
		if (j->number >= number)
			number = j->number + 1;
	return number;
}

static void job_tell(const struct job *j)
{
	const struct exo_env_page *page = j->child.page;
	const struct exo_context *at = &page->area[EXO_AREA_DOUBLE];

	if (page->stop_reason == EXO_STOP_EXIT && page->exit_code == 0)
		return;
	printf("%s: ", j->name);
	if (page->stop_reason == EXO_STOP_EXIT)
		printf("ended with code %ld\n", (long)page->exit_code);
	else if (page->stop_reason == EXO_STOP_FAULT)
		printf("%s (fault %lu, address 0x%lx, at 0x%lx)\n", exos_stop_text(EXO_STOP_FAULT),
		       (unsigned long)at->vector, (unsigned long)at->cr2, (unsigned long)at->rip);
	else
		printf("%s\n", exos_stop_text(page->stop_reason));
}

/* Take a job off the list and all it had back. */
static int job_end(struct job *job)
{
	struct job **link = &jobs;
	int error = exos_child_end(&job->child);

	if (error < 0)
		printf("%s: cannot be taken apart: %s\n", job->name, exo_error_text(error));
	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	slots_deal(job->cpu);
	free(job);
	return error;
}

void jobs_reap(void)
{
	for (struct job *j = jobs, *next; j != NULL; j = next) {
		next = j->next;
		if (exos_child_runs(&j->child))
			continue;
		printf("[%u] %s ended\n", j->number, j->name);
		job_tell(j);
		job_end(j);
	}
}

void jobs_end_all(void)
{
	while (jobs != NULL)
		job_end(jobs);
}

/* Wait for a job; Ctrl-C ends it. */
static int job_wait(struct job *j)
{
	int code;

	while (exos_child_wait(&j->child, exos_deadline(LOOK_NS)) == EXO_STOP_RUNS) {
		if (term_interrupted()) {
			printf("^C\n");
			return job_end(j) < 0 ? 1 : 0;
		}
	}
	job_tell(j);
	code = j->child.page->stop_reason != EXO_STOP_EXIT || j->child.page->exit_code != 0;
	job_end(j);
	return code;
}

static void run_grant(struct run *r, const char *name, const struct exos_grant *g, uint32_t rights)
{
	const struct exo_cap *c = g != NULL ? exos_cap_look(g->slot) : NULL;

	if (c != NULL && r->grants < GRANTS)
		r->grant[r->grants++] = (struct exos_spawn_grant){
			.name = name, .slot = g->slot,
			.rights = rights & (c->rights | EXO_SHARE),
		};
}

/*
 * A claim named on the command line: frames and disks as a share for reading, all else with every
 * right the shell has.
 */
static bool run_claim(struct run *r, const char *name)
{
	const struct exos_grant *g = exos_grant(name, 0);

	if (g == NULL || r->grants == GRANTS) {
		printf("run: the shell has no claim \"");
		term_safe(name, min_u64(strlen(name), 16));
		printf("\" to give\n");
		return false;
	}
	run_grant(r, g->name, g, g->kind == EXO_KIND_FRAME || g->kind == EXO_KIND_BLOCK
		  ? EXO_R_READ | EXO_SHARE : EXO_R_ALL);
	return true;
}

static bool run_options(struct run *r, int argc, char **argv)
{
	const char *end;
	uint64_t mib;

	for (r->first = 1; r->first < argc && argv[r->first][0] == '-'; r->first += 2) {
		const char *value = r->first + 1 < argc ? argv[r->first + 1] : NULL;

		if (value != NULL && strcmp(argv[r->first], "-m") == 0 &&
		    parse_u64(value, &end, &mib) >= 0 && *end == '\0' && mib > 0 && mib < MIB)
			r->frames = mib * (MIB / EXO_PAGE_SIZE);
		else if (value != NULL && strcmp(argv[r->first], "-g") == 0) {
			if (!run_claim(r, value))
				return false;
		} else {
			commands_usage(argv[0]);
			return false;
		}
	}
	if (r->first < argc)
		return true;
	commands_usage(argv[0]);
	return false;
}

/* Two errors say all in the phrase: a file that was refused, and no room. */
static void run_tell(const char *name, const char *why, int error)
{
	bool plain = error == 0 || error == -EXO_E_ARG || error == -EXO_E_ROOM;

	printf("cannot run ");
	term_safe(name, min_u64(strlen(name), 200));
	printf(": %s%s%s%s\n", why, plain ? "" : " (", plain ? "" : exo_error_text(error),
	       plain ? "" : ")");
}

/* Start the program of `file`; NULL after it has said why not. */
static struct job *run_start(struct run *r, const struct load *load, int argc, char **argv)
{
	struct exos_spawn request = {
		.file = load->file, .file_bytes = load->bytes, .argc = argc - r->first,
		.argv = (const char *const *)argv + r->first, .frames = r->frames,
		.grant = r->grant, .grants = r->grants, .clean = true,
	};
	struct job *j = calloc(1, sizeof(*j));
	int error;

	if (j == NULL) {
		printf("run: out of memory\n");
		return NULL;
	}
	error = exos_spawn(&request, &j->child);
	if (error < 0) {
		run_tell(argv[r->first], j->child.why, error);
		free(j);
		return NULL;
	}
	string_copy(j->name, argv[r->first], sizeof(j->name));
	j->number = job_number();
	j->cpu = slots_cpu();
	j->next = jobs;
	jobs = j;
	slots_deal(j->cpu);
	return j;
}

int jobs_run(int argc, char **argv)
{
	struct run r = { .frames = 0 };
	struct load load;
	const char *why;
	struct job *j;

	run_grant(&r, "console", exos_grant(background ? "console-write" : "console-child", 0),
		  EXO_R_CALL);
	run_grant(&r, "export", exos_grant("export", 0), EXO_R_READ | EXO_SHARE);
	if (!run_options(&r, argc, argv))
		return 1;
	why = load_program(argv[r.first], &load);
	if (why != NULL) {
		run_tell(argv[r.first], why, 0);
		return 1;
	}
	j = run_start(&r, &load, argc, argv);
	load_free(&load);
	if (j == NULL)
		return 1;
	if (!background)
		return job_wait(j);
	printf("[%u] %s\n", j->number, j->name);
	return 0;
}

int jobs_kill(int argc, char **argv)
{
	const char *end;
	uint64_t number;

	if (argc != 2)
		return commands_usage(argv[0]);
	if (parse_u64(argv[1], &end, &number) < 0 || *end != '\0')
		return commands_usage(argv[0]);
	for (struct job *j = jobs; j != NULL; j = j->next) {
		if (j->number == number) {
			printf("[%u] %s is ended\n", j->number, j->name);
			return job_end(j) < 0 ? 1 : 0;
		}
	}
	printf("kill: there is no job %lu; ps shows jobs and their numbers\n",
	       (unsigned long)number);
	return 1;
}
