/* SPDX-License-Identifier: MIT */
/*
 * net_claims.c - who gets which packets: filters as a tree, and the rings behind them.
 *
 * Read from the FILTER frames and the rings' pages by the TRACE claim.  What a ring's page says may
 * be written by its owner: numbers are shown and not relied on.
 */
#include <base/util.h>
#include <exos/console.h>
#include <exos/heap.h>
#include <exos/start.h>
#include <net/pattern.h>

#include "machine.h"
#include "net.h"
#include "shell.h"

#define DEPTH_MAX    16u        /* filters nest no deeper */
#define CHILDREN_MAX 4096u      /* claims looked through: they may change meanwhile */
#define PATTERN_TEXT 160u

struct filter_info {
	uint64_t pfn;
	struct exo_filter filter;
};
struct filters {
	struct filter_info *at; /* by pfn */
	size_t count, room;
	struct env_list envs;
};

static void filters_add(void *context, const struct frame_run *run)
{
	static union {
		struct exo_filter filter;
		uint8_t page[EXO_PAGE_SIZE];
	} copy;
	struct filters *f = context;

	if (run->use != EXO_USE_FILTER)
		return;
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 32;
		void *more = realloc(f->at, room * sizeof(f->at[0]));

		if (more == NULL)
			return;
		f->at = more;
		f->room = room;
	}
	/* A filter in use has a holder. */
	if (machine_copy(run->pfn, copy.page) && copy.filter.holder != 0)
		f->at[f->count++] = (struct filter_info){ run->pfn, copy.filter };
}

static const struct exo_filter *filters_find(const struct filters *f, uint64_t pfn)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->at[i].pfn == pfn)
			return &f->at[i].filter;
	return NULL;
}

static const char *holder_name(const struct filters *f, exo_sid holder, char name[ENV_NAME])
{
	uint64_t env = machine_holder(holder);

	return env != 0 ? env_list_name(&f->envs, env, name) : "-";
}

/* Both patterns if they are of use: a claim that cannot send has none to show. */
static void patterns_print(const struct exo_filter *filter, unsigned depth)
{
	char text[PATTERN_TEXT];

	if (filter->rights & EXO_R_READ)
		printf("%s\n", net_pattern_text(&filter->spec.receive, false, text, sizeof(text)));
	if (filter->rights & EXO_R_WRITE)
		printf("%s%*s%s%s\n", filter->rights & EXO_R_READ ? "  " : "", (int)depth * 2, "",
		       filter->share ? "copies of what is sent: " : "sends: ",
		       net_pattern_text(&filter->spec.send, true, text, sizeof(text)));
}

static void filter_print(const struct filters *f, const struct exo_filter *filter, unsigned depth)
{
	char name[ENV_NAME];

	printf("%*s%-*s %10lu %8lu %10lu %8lu  %s", (int)depth * 2, "",
	       16 - (int)min_u64(depth, 4) * 2, holder_name(f, filter->holder, name),
	       (unsigned long)filter->packets, (unsigned long)filter->dropped,
	       (unsigned long)filter->sent, (unsigned long)filter->refused,
	       filter->share ? "copies of " : "");
	patterns_print(filter, depth);
}

/* A filter and all below it, without recursion: the place in the list at each depth is kept. */
static void tree_print(const struct filters *f, size_t root)
{
	size_t next[DEPTH_MAX + 1] = { 0 };
	uint64_t parent[DEPTH_MAX + 1];
	unsigned depth = 0;

	filter_print(f, &f->at[root].filter, 1);
	parent[0] = f->at[root].pfn;
	while (!term_interrupted()) {
		while (next[depth] < f->count &&
		       f->at[next[depth]].filter.parent != parent[depth])
			next[depth]++;
		if (next[depth] == f->count) {
			if (depth-- == 0)
				return;
			continue;
		}
		filter_print(f, &f->at[next[depth]].filter, depth + 2);
		parent[depth + 1] = f->at[next[depth]++].pfn;
		if (depth + 1 < DEPTH_MAX)
			next[++depth] = 0;
	}
}

/* Copy a claim out of whosever table it is in. */
static bool claim_copy(exo_sid sid, struct exo_cap *out)
{
	static struct exo_cap table[EXO_SLOTS_PER_FRAME];

	if (sid == 0 || !machine_copy(sid / EXO_SLOTS_PER_FRAME, table))
		return false;
	*out = table[sid % EXO_SLOTS_PER_FRAME];
	return true;
}

/* The claim below `sid` that was given whole, or 0: it names the same filter. */
static exo_sid claim_given(const struct exo_cap *claim)
{
	exo_sid at = claim->child;
	struct exo_cap child;

	for (unsigned n = 0; n < CHILDREN_MAX && claim_copy(at, &child); n++, at = child.next)
		if (child.kind == EXO_KIND_NIC && child.lo == claim->lo)
			return at;
	return 0;
}

/* A NIC's own filter is a frame of the kernel: its holder is looked for along the claims. */
static void nic_claim_print(const struct filters *f, const struct exo_nic_info *nic)
{
	exo_sid sid = nic->root, below = sid;
	struct exo_cap claim;
	char name[ENV_NAME];

	for (unsigned n = 0; n < DEPTH_MAX && below != 0 && claim_copy(below, &claim); n++) {
		sid = below;
		below = claim_given(&claim);
	}
	printf("%-16s %10s %8s %10s %8s  all other packets of this NIC\n",
	       holder_name(f, sid, name), "", "", "", "");
}

/* The trees of one NIC: they begin where the filter above is not to be seen. */
static void filters_print(const struct filters *f, uint32_t nic)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->at[i].filter.nic == nic &&
		    filters_find(f, f->at[i].filter.parent) == NULL)
			tree_print(f, i);
}

static void nics_print(const struct filters *f)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_nic_info *nic = exos_machine_at(m->nics_off);

	printf("%-16s %10s %8s %10s %8s  %s\n", "CLAIM OF", "RECEIVED", "DROPPED", "SENT",
	       "REFUSED", "PACKETS");
	for (uint32_t i = 0; i < m->nics; i++) {
		nic_claim_print(f, &nic[i]);
		filters_print(f, i);
	}
}

/* The last ring page's holder: only the first page of an object is looked at. */
struct rings {
	const struct filters *filters;
	exo_sid last;
	unsigned count;
};

static void ring_print(void *context, const struct frame_run *run)
{
	static struct exo_packets_page page;
	struct rings *r = context;
	char name[ENV_NAME];

	if (run->use != EXO_USE_RINGPAGE || run->holder == r->last)
		return;
	r->last = run->holder;
	/* Of a disk's ring no page can be read. */
	if (!machine_copy(run->pfn, &page))
		return;
	if (r->count++ == 0)
		printf("%-16s %10s %8s %10s %8s %8s %11s %11s %7s\n", "RING OF", "RECEIVED",
		       "DROPPED", "SENT", "REFUSED", "ROUNDS", "COPIED", "LENT", "BUFFERS");
	printf("%-16s %10lu %8lu %10lu %8lu %8lu %11lu %11lu %7u\n",
	       holder_name(r->filters, run->holder, name), (unsigned long)page.received,
	       (unsigned long)page.dropped, (unsigned long)page.sent, (unsigned long)page.refused,
	       (unsigned long)page.rounds, (unsigned long)page.copied,
	       (unsigned long)page.lent,
	       page.rx_posted - page.rx_done);
}

void net_claims_print(void)
{
	struct filters f = { .at = NULL };
	struct rings r = { &f, 0, 0 };

	if (!env_list_take(&f.envs)) {
		printf("net: out of memory\n");
		return;
	}
	machine_frames(filters_add, &f);
	nics_print(&f);
	machine_frames(ring_print, &r);
	free(f.at);
	env_list_free(&f.envs);
}
