/* SPDX-License-Identifier: MIT */
/*
 * grants.c - who gets what: the policy of this system, as a table.
 *
 * Invariant: what is not in the table stays with init.
 */
#include <base/string.h>
#include <exos/cap.h>

#include "init.h"

#define SHARED(rights) ((rights) | EXO_SHARE)

static const struct policy {
	const char *name;       /* of init's claims, all of this name */
	uint32_t    who;        /* FOR_* */
	uint32_t    rights;
} policy[] = {
	/* claims        for whom                             with which rights */
	{ "uart",        FOR_CONSOLE,                         EXO_R_CONTROL },
	{ "irq",         FOR_CONSOLE | FOR_APP,               EXO_R_CONTROL },
	{ "export",      FOR_SHELL | FOR_APP | FOR_NETCFG,    SHARED(EXO_R_READ) },
	{ "archive",     FOR_SHELL | FOR_APP,                 SHARED(EXO_R_READ | EXO_R_EXEC) },
	{ "archive",     FOR_NETCFG,                          SHARED(EXO_R_READ) },
	{ "acpi",        FOR_APP,                             SHARED(EXO_R_READ) },
	{ "trace",       FOR_SHELL | FOR_APP,                 EXO_R_READ },
	{ "disk",        FOR_HTTPD,                           SHARED(EXO_R_READ) },
	{ "disk",        FOR_SHELL,                           SHARED(EXO_R_READ | EXO_R_WRITE) },
	{ "disk",        FOR_APP,                             EXO_R_READ | EXO_R_WRITE },
	{ "nic",         FOR_SHELL | FOR_APP | FOR_NETCFG,    EXO_R_READ | EXO_R_WRITE },
	{ "slots",       FOR_SHELL | FOR_APP,                 EXO_R_CONTROL },
	{ "device",      FOR_APP,                             EXO_R_READ | EXO_R_WRITE },
	{ "port",        FOR_APP,                             EXO_R_CONTROL },
	{ "pci",         FOR_APP,                             EXO_R_MAP | EXO_R_CONTROL },
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

/* One NIC is netcfg's, the others are the shell's to give; an app has them all. */
static bool nic_goes(const struct exos_grant *g, uint32_t who)
{
	return who == FOR_APP || ((int)g->unit == net_nic()) == (who == FOR_NETCFG);
}

bool grants_keep_slot(uint32_t who, uint64_t cpu, uint64_t slot)
{
	const bool system = who != FOR_APP;     /* beside an app runs the console only */

	if (cpu == 0 && (slot == SLOT_SHELL || slot == SLOT_INIT ||
			 slot % SLOT_SERVICE_STEP == SLOT_CONSOLE))
		return true;
	if (system && cpu == 0 && slot % SLOT_SERVICE_STEP == SLOT_NETCFG)
		return true;
	return system && cpu == (time_cpus() > 1) && slot % SLOT_HTTPD_STEP == SLOT_HTTPD;
}

/* The runs between the slots of a CPU that init keeps. */
static void slots_add(struct list *l, const struct exos_grant *g, uint32_t who, uint32_t rights)
{
	uint64_t lo = g->lo;

	for (uint64_t slot = g->lo; slot <= g->hi; slot++) {
		if (slot < g->hi && !grants_keep_slot(who, g->unit, slot))
			continue;
		if (slot > lo)
			list_add(l, "slots", g->slot, lo, slot, rights);
		lo = slot + 1;
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
		if (g->kind == EXO_KIND_NIC && !nic_goes(g, who))
			continue;
		if (g->kind == EXO_KIND_SLOT)
			slots_add(l, g, who, p->rights);
		else
			list_add(l, p->name, g->slot, 0, 0, rights_held(g, p->rights));
	}
}

/* What the services gave us for those who use them. */
static void services_add(struct list *l, uint32_t who)
{
	if (who == FOR_NETCFG) {        /* what it says before it ends unhappily */
		list_add(l, "console", console_gate[2], 0, 0, EXO_R_CALL);
		return;
	}
	list_add(l, "console", console_gate[0], 0, 0, EXO_R_CALL);
	list_add(l, "console-child", console_gate[1], 0, 0, EXO_R_CALL);
	list_add(l, "console-write", console_gate[2], 0, 0, EXO_R_CALL);
	if (who != FOR_SHELL)
		return;
	list_add(l, "netcfg", net_page_claim(), 0, 0, SHARED(EXO_R_READ));
	list_add(l, "net-gate", net_gate[1], 0, 0, EXO_R_CALL);
	list_add(l, "net-child", net_gate[2], 0, 0, EXO_R_CALL);
}

uint32_t grants_for(uint32_t who, struct exos_spawn_grant *out)
{
	struct list l = { out, 0 };

	for (size_t i = 0; i < sizeof(policy) / sizeof(policy[0]); i++)
		if (policy[i].who & who)
			policy_apply(&l, &policy[i], who);
	if (who & (FOR_SHELL | FOR_APP | FOR_NETCFG))
		services_add(&l, who);
	return l.count;
}
