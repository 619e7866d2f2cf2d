/* SPDX-License-Identifier: MIT */
/*
 * main.c - the first program: from the kernel's hand-over to power-off.
 *
 * Invariant: whatever runs, runs because it stands here; when the program it was booted for ends,
 * so does the machine.
 */
#include <exos/console.h>
#include <exos/error.h>
#include <exos/event.h>

#include "init.h"

static struct exos_child child;         /* the shell, or app */

/* Events of children only wake the loop below: none is missed between its look and its wait. */
static void on_event(uint32_t entry, uint32_t posts, void *argument)
{
	(void)entry;
	(void)posts;
	(void)argument;
}

/* Start the program the machine was booted for, with nearly all there is. */
static int main_start(const char *name, uint32_t who)
{
	static struct exos_spawn_grant grant[GRANTS_MAX + 64];
	const struct exos_spawn_time time = {
		time_claim(0), SLOT_SHELL, SLOT_SHELL + 1, 1,
	};
	struct exos_spawn request = {
		.argc = 1, .argv = &name, .grant = grant, .times = 1, .time = &time,
	};

	request.grants = grants_for(who, grant);
	request.frames = memory_lend(grant, &request.grants, GRANTS_MAX + 64);
	return program_start(name, &request, &child);
}

static void main_end(void)
{
	int error = child.memory != 0 ? exos_child_end(&child) : 0;

	memory_back();
	if (error < 0)
		printf("init: cannot take everything back: %s\n", exo_error_text(error));
}

/* The services beside the shell: what became of them meanwhile. */
static void services_look(uint32_t who)
{
	if (who != FOR_SHELL)
		return;
	net_look();
	web_look();
}

/* Wait until the program stops, or the console does; true if it ended of itself. */
static bool main_watch(const char *name, uint32_t who, int *code)
{
	bool console = console_runs(), ended;

	exos_event_handle(child.event, on_event, NULL);
	exos_event_handle(console_event(), on_event, NULL);
	while (exos_child_runs(&child) && console_runs() == console) {
		services_look(who);
		exos_event_run(0);
	}
	if (console_runs() != console) {
		console_end();
		printf("init: the console service ended, and with it %s\n", name);
		return false;
	}
	*code = (int)child.page->exit_code;
	ended = child.page->stop_reason == EXO_STOP_EXIT && *code != EXOS_EXIT_PANIC &&
		*code != EXOS_EXIT_FAULT;
	if (!ended || *code != 0)
		program_tell(name, child.page);
	return ended;
}

/* Network and web server come before the shell, to be there when it asks. */
static void services_start(uint32_t who)
{
	if (who != FOR_SHELL)
		return;
	net_start();
	web_look();
}

/* Run the program; one that dies is started again a few times, but app only once. */
static int main_run(const char *name, uint32_t who)
{
	bool started = false;
	int code = 1;

	for (unsigned starts = 0; starts < (who == FOR_APP ? 1 : STARTS_MAX); starts++) {
		bool ended;

		if (!console_runs() && console_start() < 0)
			printf("init: going on without the console service\n");
		if (!started)
			services_start(who);
		started = true;
		if (main_start(name, who) < 0) {
			main_end();
			return 1;
		}
		ended = main_watch(name, who, &code);
		main_end();
		if (ended)
			return code;
		if (who != FOR_APP && starts + 1 < STARTS_MAX)
			printf("init: %s is started again\n", name);
	}
	return code != 0 ? code : 1;
}

int main(int argc, char **argv)
{
	struct bootline line;
	int code;

	(void)argc;
	(void)argv;
	memory_start();
	banner_print(power_find());
	bootline_read(&line);
	web_more = line.web_frames;
	time_start();
	if (line.app)
		code = main_run("app", FOR_APP);
	else
		code = main_run("shell", FOR_SHELL);
	console_end();
	power_off(line.debug_exit, code);
}
