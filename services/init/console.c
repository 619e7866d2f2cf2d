/* SPDX-License-Identifier: MIT */
/*
 * console.c - starting the console service and taking its gates.
 */
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/time.h>

#include "init.h"

#define CONSOLE_FRAMES   256u
#define CONSOLE_READY_NS 5000000000ull

static struct exos_child child;

uint32_t console_event(void)
{
	return child.event;
}

bool console_runs(void)
{
	return child.memory != 0 && exos_child_runs(&child);
}

/* Wait until it has given its gates into our open slots. */
static int gates_take(exo_sid open)
{
	uint64_t deadline = exos_deadline(CONSOLE_READY_NS);
	int error = 0;

	if (exos_event_wait(child.bell, deadline) == 0)
		error = -EXO_E_TIME;
	for (unsigned i = 0; i < CONSOLE_GATES && error == 0; i++) {
		console_gate[i] = exos_cap_name(open + i);
		if (console_gate[i] == 0)
			error = -EXO_E_ABSENT;
	}
	return error;
}

/* Give it its claims, the way to answer, and its time. */
static int console_spawn(exo_sid open)
{
	static const char *const argv[] = { "console" };
	static struct exos_spawn_grant grant[GRANTS_MAX + 2];
	const struct exos_spawn_time time = { time_claim(0), 0, SLOTS_A_CPU, SLOT_CONSOLE_STEP };
	struct exos_spawn request = {
		.argc = 1, .argv = argv, .frames = CONSOLE_FRAMES, .grant = grant,
		.times = 1, .time = &time,
	};

	request.grants = grants_for(FOR_CONSOLE, grant);
	grant[request.grants++] = (struct exos_spawn_grant){
		.name = "answer", .lo = open, .hi = open + CONSOLE_GATES,
	};
	grant[request.grants++] = (struct exos_spawn_grant){
		.name = "starter", .slot = exos_grant("env", 0)->slot, .rights = EXO_R_GIVE,
	};
	return program_start("console", &request, &child);
}

int console_start(void)
{
	exo_sid open = exos_slot_alloc_run(CONSOLE_GATES);
	int error = open != 0 ? 0 : -EXO_E_ROOM;
	bool spawned = false;

	if (error == 0) {
		exos_page()->open_lo = open;
		exos_page()->open_hi = open + CONSOLE_GATES;
		spawned = (error = console_spawn(open)) >= 0;
	}
	if (spawned)
		error = gates_take(open);
	exos_page()->open_lo = exos_page()->open_hi = 0;
	if (error >= 0) {
		exos_console_gate_set(console_gate[0]);
		return 0;
	}
	console_end();
	for (unsigned i = 0; open != 0 && i < CONSOLE_GATES; i++)
		if (exos_cap_name(open + i) == 0)
			exos_slot_free(open + i);
	if (spawned)
		printf("init: the console service did not answer: %s\n", exo_error_text(error));
	return error;
}

/* The port comes back to init first: only then can it say anything. */
void console_end(void)
{
	static struct exo_env_page last;
	bool died = child.memory != 0 && !exos_child_runs(&child);

	exos_console_gate_set(0);
	if (died)
		last = *child.page;
	if (child.memory != 0)
		exos_child_end(&child);
	if (died)
		program_tell("console", &last);
	for (unsigned i = 0; i < CONSOLE_GATES; i++) {
		if (console_gate[i] != 0)
			exos_cap_end(console_gate[i]);  /* frees its slot too */
		console_gate[i] = 0;
	}
}
