/* SPDX-License-Identifier: MIT */
/*
 * caps.c - an environment's claims as a tree, with what of them was given to others.
 *
 * The derivation tree runs through the tables of all environments; it is read from a copy of every
 * table frame.  The copy is of no single moment, so that links are followed with a bound.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/console.h>
#include <exos/heap.h>
#include <exos/start.h>

#include "machine.h"
#include "shell.h"

struct table {
	uint64_t pfn, env;      /* the frame, and whom it serves */
	struct exo_cap slot[EXO_SLOTS_PER_FRAME];
};
struct tables {
	struct table **at;      /* by pfn */
	size_t count, room;
	bool   short_of_memory;
	struct env_list envs;
	uint64_t env;           /* whose claims are shown */
	uint64_t left;          /* lines that may still be printed: no claim is shown twice */
};

static bool tables_room(struct tables *t)
{
	size_t room = t->room ? t->room * 2 : 32;
	void *more = t->at;

	if (t->count < t->room)
		return true;
	more = realloc(t->at, room * sizeof(t->at[0]));
	if (more == NULL)
		return false;
	t->at = more;
	t->room = room;
	return true;
}

static void tables_add(void *context, const struct frame_run *run)
{
	struct tables *t = context;
	struct table *table;

	if (run->use != EXO_USE_TABLE)
		return;
	table = tables_room(t) ? malloc(sizeof(*table)) : NULL;
	if (table == NULL) {
		t->short_of_memory = true;
		return;
	}
	table->pfn = run->pfn;
	table->env = machine_holder((exo_sid)(run->pfn * EXO_SLOTS_PER_FRAME));
	if (machine_copy(run->pfn, table->slot))
		t->at[t->count++] = table;
	else
		free(table);
}

static const struct table *tables_of(const struct tables *t, exo_sid sid)
{
	uint64_t pfn = sid / EXO_SLOTS_PER_FRAME;
	size_t lo = 0, hi = t->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->at[mid]->pfn < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < t->count && t->at[lo]->pfn == pfn ? t->at[lo] : NULL;
}

static void rights_text(unsigned rights, char out[16])
{
	static const char letter[] = "rwxtcnpmga";      /* in the order of EXO_R_*'s bits */
	size_t n = 0;

	for (unsigned bit = 0; bit < sizeof(letter) - 1; bit++)
		if (rights >> bit & 1)
			out[n++] = letter[bit];
	out[n] = '\0';
}

static void range_text(const struct exo_cap *c, char *out, size_t bytes)
{
	unsigned long lo = c->lo, hi = c->hi;

	switch (c->kind) {
	case EXO_KIND_SLOT:
		format_buffer(out, bytes, "CPU %u: %lu-%lu", c->unit, lo, hi - 1);
		break;
	case EXO_KIND_BLOCK:
		format_buffer(out, bytes, "disk %u: %lu-%lu", c->unit, lo, hi - 1);
		break;
	case EXO_KIND_IRQ:
		format_buffer(out, bytes, "%lu", lo);
		break;
	case EXO_KIND_ENV:
		if (!(c->flags & EXO_CAP_OBJECT) && hi > 0)
			format_buffer(out, bytes, "0x%lx, doorbell %lu", lo, hi - 1);
		else
			format_buffer(out, bytes, "0x%lx", lo);
		break;
	case EXO_KIND_FRAME:
	case EXO_KIND_PORT:
		format_buffer(out, bytes, "0x%lx-0x%lx (%lu)", lo, hi - 1, hi - lo);
		break;
	case EXO_KIND_PT:
		format_buffer(out, bytes, "0x%lx, level %u", lo, c->unit);
		break;
	case EXO_KIND_NIC:
		format_buffer(out, bytes, "NIC %u, filter 0x%lx", c->unit, lo);
		break;
	case EXO_KIND_TRACE:
		out[0] = '\0';
		break;
	default:
		format_buffer(out, bytes, "0x%lx", lo);
	}
}

static void claim_print(struct tables *t, const struct table *table, exo_sid sid, unsigned depth)
{
	const struct exo_cap *c = &table->slot[sid % EXO_SLOTS_PER_FRAME];
	char range[64], rights[16], name[ENV_NAME];

	range_text(c, range, sizeof(range));
	rights_text(c->rights, rights);
	printf("%*s%-6s %s  %s%s%s%s", (int)depth * 2, "", kind_text(c->kind), range, rights,
	       c->flags & EXO_CAP_SHARE ? " share" : "", c->flags & EXO_CAP_OBJECT ? " object" : "",
	       c->flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING) ? " ending" : "");
	if (table->env != t->env)
		printf("  -> %s", env_list_name(&t->envs, table->env, name));
	printf("\n");
}

/*
 * Print a claim and what hangs on it, going on without recursion: down to the first child, else to
 * the next sibling, else up.
 */
static void tree_print(struct tables *t, exo_sid root)
{
	exo_sid sid = root;
	unsigned depth = 0;

	while (t->left > 0 && !term_interrupted()) {
		const struct table *table = tables_of(t, sid);
		const struct exo_cap *c;

		if (table == NULL)
			return;
		c = &table->slot[sid % EXO_SLOTS_PER_FRAME];
		claim_print(t, table, sid, depth);
		t->left--;
		if (c->child != 0) {
			sid = c->child;
			depth++;
			continue;
		}
		while (sid != root && c->next == 0) {
			sid = c->parent;
			table = tables_of(t, sid);
			if (table == NULL || depth-- == 0)
				return;
			c = &table->slot[sid % EXO_SLOTS_PER_FRAME];
		}
		if (sid == root)
			return;
		sid = c->next;
	}
}

/* Trees begin where a claim's parent is a root or lies in another's table. */
static bool tree_begins(const struct tables *t, const struct exo_cap *c)
{
	const struct table *parent = c->parent ? tables_of(t, c->parent) : NULL;

	return c->kind != EXO_KIND_NONE && (parent == NULL || parent->env != t->env);
}

static void tables_print(struct tables *t)
{
	t->left = (uint64_t)t->count * EXO_SLOTS_PER_FRAME;
	for (size_t i = 0; i < t->count; i++) {
		const struct table *table = t->at[i];

		for (unsigned s = 0; table->env == t->env && s < EXO_SLOTS_PER_FRAME; s++)
			if (tree_begins(t, &table->slot[s]))
				tree_print(t, (exo_sid)(table->pfn * EXO_SLOTS_PER_FRAME + s));
	}
	if (t->short_of_memory)
		printf("caps: out of memory: some claims are not shown\n");
}

/* An environment by its frame number or its name. */
static bool env_pick(struct tables *t, const char *word)
{
	const char *end;
	uint64_t pfn;

	if (parse_u64(word, &end, &pfn) >= 0 && *end == '\0') {
		t->env = pfn;
		return env_list_find(&t->envs, pfn) != NULL;
	}
	for (size_t i = 0; i < t->envs.count; i++) {
		t->env = t->envs.at[i].pfn;
		if (strcmp(t->envs.at[i].name, word) == 0)
			return true;
	}
	return false;
}

int caps_run(int argc, char **argv)
{
	struct tables t = { .env = exos_page()->env_pfn };
	bool known;

	if (argc > 2)
		return commands_usage(argv[0]);
	known = env_list_take(&t.envs) && (argc == 1 || env_pick(&t, argv[1]));
	if (known) {
		machine_frames(tables_add, &t);
		tables_print(&t);
	} else {
		printf("caps: there is no environment \"");
		term_safe(argc > 1 ? argv[1] : "", argc > 1 ? min_u64(strlen(argv[1]), 40) : 0);
		printf("\"; ps lists them\n");
	}
	for (size_t i = 0; i < t.count; i++)
		free(t.at[i]);
	free(t.at);
	env_list_free(&t.envs);
	return !known;
}
