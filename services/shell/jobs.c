/* SPDX-License-Identifier: MIT */
/*
 * jobs.c - the programs that the shell started: waiting for them, ending them.
 *
 * Invariant: each job of the list has time slots on its CPU until it is taken off the list; what
 * it had comes back to the shell exactly once.
 */
#include "jobs.h"

#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/heap.h>
#include <exos/slot.h>
#include <exos/spawn.h>
#include <exos/time.h>

#include "shell.h"

#define LOOK_NS  50000000ull    /* how often a waiting shell looks for Ctrl-C */
#define ASK_NS   2000000000ull  /* what a job that was asked to end has for that */

struct job {
	struct job *next;
	unsigned    number;
	uint32_t    cpu;
	struct exos_child child;
	uint32_t    interrupt;  /* entry of its event ring that asks it to end; 0: it has none */
	char        name[24];
};

static struct job *jobs;

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

/* Post the event that asks a job to end: true if it was asked and may take its time. */
static bool job_ask(struct job *j)
{
	exo_sid sid = j->interrupt != 0 ? exos_slot_alloc() : 0;
	int64_t bell = sid != 0 ? exo_doorbell(j->child.env, sid, j->interrupt, EXO_R_NOTIFY)
				: -EXO_E_SLOT;
	bool asked = bell >= 0 && exo_env_notify((exo_slot)bell) >= 0;

	if (bell >= 0)
		exos_cap_end((exo_slot)bell);
	else if (sid != 0)
		exos_slot_free(sid);
	return asked;
}

/* Ctrl-C asks a job that can be asked, the second one and time end it. */
static bool job_cut(struct job *j, uint64_t *patience)
{
	if (!term_interrupted())
		return *patience != 0 && exos_tsc() > *patience;
	printf("^C\n");
	if (*patience != 0 || !job_ask(j))
		return true;
	*patience = exos_deadline(ASK_NS);
	term_begin();
	return false;
}

int jobs_wait(struct job *j)
{
	uint64_t patience = 0;
	int code;

	while (exos_child_wait(&j->child, exos_deadline(LOOK_NS)) == EXO_STOP_RUNS)
		if (job_cut(j, &patience))
			return job_end(j) < 0 ? 1 : 0;
	job_tell(j);
	code = j->child.page->stop_reason != EXO_STOP_EXIT || j->child.page->exit_code != 0;
	job_end(j);
	return code;
}

struct job *jobs_start(const struct exos_spawn *request, uint32_t interrupt, const char **why,
		       int *error)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL) {
		*why = "out of memory";
		*error = -EXO_E_ROOM;
		return NULL;
	}
	*error = exos_spawn(request, &j->child);
	if (*error < 0) {
		*why = j->child.why;
		free(j);
		return NULL;
	}
	string_copy(j->name, request->argv[0], sizeof(j->name));
	j->number = job_number();
	j->interrupt = interrupt;
	j->cpu = slots_cpu();
	j->next = jobs;
	jobs = j;
	slots_deal(j->cpu);
	return j;
}

void jobs_leave(const struct job *j)
{
	printf("[%u] %s\n", j->number, j->name);
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
