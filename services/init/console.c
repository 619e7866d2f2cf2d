/* SPDX-License-Identifier: MIT */
/*
 * console.c - starting the console service and taking its gates.
 */
#include <exos/console.h>

#include "init.h"

exo_slot console_gate[CONSOLE_GATES];

static struct service console = {
	.name = "console", .who = FOR_CONSOLE, .frames = 256, .answers = CONSOLE_GATES,
	.answer = console_gate,
};

uint32_t console_event(void)
{
	return console.child.event;
}

bool console_runs(void)
{
	return service_runs(&console);
}

int console_start(void)
{
	int error;

	console.time = (struct exos_spawn_time){
		time_claim(0), SLOT_CONSOLE, SLOTS_A_CPU, SLOT_SERVICE_STEP,
	};
	error = service_start(&console, NULL, 0);
	if (error >= 0)
		exos_console_gate_set(console_gate[0]);
	return error;
}

/* The port comes back to init first: only then can it say anything. */
void console_end(void)
{
	static struct exo_env_page last;
	bool died = service_died(&console);

	exos_console_gate_set(0);
	service_end(&console, &last);
	if (died)
		program_tell("console", &last);
}
