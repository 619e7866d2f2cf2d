/* SPDX-License-Identifier: MIT */
/*
 * run.c - run, and the commands that are programs of their own: what a program is given.
 *
 * Invariant: a program gets the console (unless nobody waits for it: then only to write), the
 * exported tables, and what was asked for by an option or stands in net_grants; nothing else.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exo/env.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/spawn.h>

#include "jobs.h"
#include "load.h"
#include "shell.h"

#define GRANTS    12u           /* claims a job is given at most */
#define MIB       (1u << 20)
/* The last entry: libexos hands out entries from the first on. */
#define INTERRUPT (EXO_EVENTS - 1)

static bool background;

/* What a program is started with. */
struct run {
	uint64_t frames;
	struct exos_spawn_grant grant[GRANTS];
	uint32_t grants;
	uint32_t interrupt;
	int      first;         /* index of PROGRAM in argv */
};

void run_background(bool on)
{
	background = on;
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

/* What netcfg says, and a gate of its own to ask it for claims on packets: ours or the jobs'. */
static void run_grant_net(struct run *r, const char *gate)
{
	run_grant(r, "netcfg", exos_grant("netcfg", 0), EXO_R_READ | EXO_SHARE);
	run_grant(r, "net-gate", exos_grant(gate, 0), EXO_R_CALL);
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

static bool run_frames(struct run *r, const char *value)
{
	const char *end;
	uint64_t mib;

	if (parse_u64(value, &end, &mib) < 0 || *end != '\0' || mib == 0 || mib >= MIB)
		return false;
	r->frames = mib * (MIB / EXO_PAGE_SIZE);
	return true;
}

static bool run_options(struct run *r, int argc, char **argv)
{
	for (r->first = 1; r->first < argc && argv[r->first][0] == '-'; r->first++) {
		const char *option = argv[r->first];
		const char *value = r->first + 1 < argc ? argv[r->first + 1] : NULL;

		if (strcmp(option, "-n") == 0) {
			run_grant_net(r, "net-child");
			continue;
		}
		r->first++;
		if (value != NULL && strcmp(option, "-m") == 0 && run_frames(r, value))
			continue;
		if (value == NULL || strcmp(option, "-g") != 0) {
			commands_usage(argv[0]);
			return false;
		}
		if (!run_claim(r, value))
			return false;
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

static void run_begin(struct run *r)
{
	memset(r, 0, sizeof(*r));
	run_grant(r, "console", exos_grant(background ? "console-write" : "console-child", 0),
		  EXO_R_CALL);
	run_grant(r, "export", exos_grant("export", 0), EXO_R_READ | EXO_SHARE);
}

/* Start the program argv[r->first] with the words from there on. */
static int run_do(struct run *r, int argc, char **argv)
{
	const char *name = argv[r->first], *why;
	struct load load;
	struct exos_spawn request = {
		.argc = argc - r->first, .argv = (const char *const *)argv + r->first,
		.frames = r->frames, .grant = r->grant, .grants = r->grants, .clean = true,
	};
	struct job *j = NULL;
	int error = 0;

	why = load_program(name, &load);
	if (why == NULL) {
		request.file = load.file;
		request.file_bytes = load.bytes;
		j = jobs_start(&request, r->interrupt, &why, &error);
		load_free(&load);
	}
	if (j == NULL) {
		run_tell(name, why, error);
		return 1;
	}
	if (!background)
		return jobs_wait(j);
	jobs_leave(j);
	return 0;
}

int run_run(int argc, char **argv)
{
	struct run r;

	run_begin(&r);
	return run_options(&r, argc, argv) ? run_do(&r, argc, argv) : 1;
}

int run_net(int argc, char **argv)
{
	struct run r;

	run_begin(&r);
	run_grant_net(&r, "net-gate");
	r.interrupt = INTERRUPT;
	r.grant[r.grants++] = (struct exos_spawn_grant){
		.name = "interrupt", .lo = INTERRUPT, .hi = INTERRUPT + 1,
	};
	return run_do(&r, argc, argv);
}
