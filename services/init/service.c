/* SPDX-License-Identifier: MIT */
/*
 * service.c - starting a service of the system, taking what it gives us, ending it.
 *
 * Invariant: our table is open to others only while a service that was just started answers.
 */
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/time.h>

#include "init.h"

#define READY_NS 5000000000ull
#define OWN_GRANTS 2u           /* answer, starter */

/* Wait until it has given its claims into our open slots. */
static int answers_take(struct service *s, exo_sid open)
{
	if (exos_event_wait(s->child.bell, exos_deadline(READY_NS)) == 0)
		return -EXO_E_TIME;
	for (unsigned i = 0; i < s->answers; i++)
		if ((s->answer[i] = exos_cap_name(open + i)) == 0)
			return -EXO_E_ABSENT;
	return 0;
}

/* Give it its claims, the way to answer, and its time. */
static int service_spawn(struct service *s, const struct exos_spawn_grant *more, uint32_t mores,
			 exo_sid open)
{
	static struct exos_spawn_grant grant[GRANTS_MAX + SERVICE_MORE + OWN_GRANTS];
	struct exos_spawn request = {
		.argc = 1, .argv = &s->name, .frames = s->frames, .grant = grant, .times = 1,
		.time = &s->time,
	};

	request.grants = grants_for(s->who, grant);
	for (uint32_t i = 0; i < mores; i++)
		grant[request.grants++] = more[i];
	if (open != 0) {
		grant[request.grants++] = (struct exos_spawn_grant){
			.name = "answer", .lo = open, .hi = open + s->answers,
		};
		grant[request.grants++] = (struct exos_spawn_grant){
			.name = "starter", .slot = exos_grant("env", 0)->slot, .rights = EXO_R_GIVE,
		};
	}
	return program_start(s->name, &request, &s->child);
}

/* Slots that were open and stayed empty, or whose claim went, are nobody's. */
static void answers_free(struct service *s, exo_sid open)
{
	for (unsigned i = 0; open != 0 && i < s->answers; i++) {
		exo_slot name = exos_cap_name(open + i);

		if (name == 0)
			exos_slot_free(open + i);
		else
			exos_cap_end(name);
		s->answer[i] = 0;
	}
}

int service_start(struct service *s, const struct exos_spawn_grant *more, uint32_t mores)
{
	exo_sid open = s->answers > 0 ? exos_slot_alloc_run(s->answers) : 0;
	int error = s->answers > 0 && open == 0 ? -EXO_E_ROOM : 0;
	bool spawned = false;

	if (error == 0) {
		exos_page()->open_lo = open;
		exos_page()->open_hi = open + s->answers;
		spawned = (error = service_spawn(s, more, mores, open)) >= 0;
	}
	if (spawned && s->answers > 0)
		error = answers_take(s, open);
	exos_page()->open_lo = exos_page()->open_hi = 0;
	if (error >= 0)
		return 0;
	if (spawned)
		printf("init: %s did not answer: %s\n", s->name, exo_error_text(error));
	if (s->child.memory != 0)
		exos_child_end(&s->child);
	answers_free(s, open);
	return error;
}

bool service_runs(const struct service *s)
{
	return s->child.memory != 0 && exos_child_runs(&s->child);
}

bool service_died(const struct service *s)
{
	return s->child.memory != 0 && !exos_child_runs(&s->child);
}

void service_end(struct service *s, struct exo_env_page *last)
{
	if (last != NULL && s->child.memory != 0)
		*last = *s->child.page;
	if (s->child.memory != 0)
		exos_child_end(&s->child);
	for (unsigned i = 0; i < s->answers; i++) {
		if (s->answer[i] != 0)
			exos_cap_end(s->answer[i]);     /* frees its slot too */
		s->answer[i] = 0;
	}
}
