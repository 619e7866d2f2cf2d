/* SPDX-License-Identifier: MIT */
/*
 * grants.c - who gets what: the policy of this system, as a table.
 *
 * Invariant: what is not in the table stays with init.
 */
#include <base/string.h>
#include <exos/cap.h>

#include "init.h"

exo_slot console_gate[CONSOLE_GATES];

#define SHARED(rights) ((rights) | EXO_SHARE)

static const struct policy {
	const char *name;       /* of init's claims, all of this name */
	uint32_t    who;        /* FOR_* */
	uint32_t    rights;
} policy[] = {
	/* claims        for whom                             with which rights */
	{ "uart",        FOR_CONSOLE,                         EXO_R_CONTROL },
	{ "irq",         FOR_CONSOLE | FOR_APP,               EXO_R_CONTROL },
	{ "export",      FOR_SHELL | FOR_APP,                 SHARED(EXO_R_READ) },
	{ "archive",     FOR_SHELL | FOR_APP,                 SHARED(EXO_R_READ) },
	{ "acpi",        FOR_APP,                             SHARED(EXO_R_READ) },
	{ "trace",       FOR_SHELL | FOR_APP,                 EXO_R_READ },
	{ "disk",        FOR_SHELL | FOR_APP,                 EXO_R_READ | EXO_R_WRITE },
	{ "slots",       FOR_SHELL | FOR_APP,                 EXO_R_CONTROL },
	{ "device",      FOR_APP,                             EXO_R_READ | EXO_R_WRITE },
	{ "port",        FOR_APP,                             EXO_R_CONTROL },
};

struct list {
	struct exos_spawn_grant *at;
	uint32_t count;
};

static void list_add(struct list *l, const char *name, exo_slot slot, uint64_t lo, uint64_t hi,
		     uint32_t rights)
{
	if (slot != 0 && l->count < GRANTS_MAX)
		l->at[l->count++] = (struct exos_spawn_grant){
			.name = name, .slot = slot, .lo = lo, .hi = hi, .rights = rights,
		};
}

/* The serial port's interrupt is the console's; an interrupt goes to one program only. */
static bool irq_goes(const struct exos_grant *g, uint32_t who)
{
	const struct exo_cap *c = exos_cap_look(g->slot);

	return c != NULL && c->child == 0 && (g->lo == UART_IRQ) == (who == FOR_CONSOLE);
}

/* All slots of a CPU; of CPU 0 the runs between the slots that init keeps. */
static void slots_add(struct list *l, const struct exos_grant *g, uint32_t rights)
{
	if (g->unit != 0) {
		list_add(l, "slots", g->slot, g->lo, g->hi, rights);
		return;
	}
	for (uint32_t lo = 1; lo < SLOT_SHELL; lo += SLOT_CONSOLE_STEP) {
		uint32_t hi = lo + SLOT_CONSOLE_STEP - 1;

		list_add(l, "slots", g->slot, lo, hi < SLOT_SHELL ? hi : SLOT_SHELL, rights);
	}
}

/* A block device that is read-only has no claim to write. */
static uint32_t rights_held(const struct exos_grant *g, uint32_t rights)
{
	const struct exo_cap *c = exos_cap_look(g->slot);

	return c != NULL ? rights & (c->rights | EXO_SHARE) : rights;
}

static void policy_apply(struct list *l, const struct policy *p, uint32_t who)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant_at(n)) != NULL; n++) {
		if (strncmp(g->name, p->name, sizeof(g->name)) != 0)
			continue;
		if (g->kind == EXO_KIND_IRQ && !irq_goes(g, who))
			continue;
		if (g->kind == EXO_KIND_SLOT)
			slots_add(l, g, p->rights);
		else
			list_add(l, p->name, g->slot, 0, 0, rights_held(g, p->rights));
	}
}

uint32_t grants_for(uint32_t who, struct exos_spawn_grant *out)
{
	struct list l = { out, 0 };

	for (size_t i = 0; i < sizeof(policy) / sizeof(policy[0]); i++)
		if (policy[i].who & who)
			policy_apply(&l, &policy[i], who);
	if (who != FOR_CONSOLE) {
		list_add(&l, "console", console_gate[0], 0, 0, EXO_R_CALL);
		list_add(&l, "console-child", console_gate[1], 0, 0, EXO_R_CALL);
		list_add(&l, "console-write", console_gate[2], 0, 0, EXO_R_CALL);
	}
	return l.count;
}
