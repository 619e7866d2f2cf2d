/* SPDX-License-Identifier: MIT */
/*
 * replay.c - a fuzzer's log held against the model: each result, and the tables at each checkpoint.
 *
 * replay LOG [BYTE]: the log of one group, which begins there.  0 if the kernel did what the
 * rules want; else what it did otherwise, in words.  The first checkpoint is where the model starts
 * from.
 */
#include "model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 20u

static FILE *file;
static uint64_t at;             /* records read */
static unsigned wrong, checks, loose, calls, tables, pts;
static uint64_t digest = 0xcbf29ce484222325ul;  /* FNV-1a of all that was read */
static bool started;            /* the first checkpoint was taken over */

#define DIFFERS(...) do { if (wrong++ < SHOWN) { \
	printf("record %" PRIu64 ": ", at - 1); printf(__VA_ARGS__); putchar('\n'); } } while (0)

static void broken(void)
{
	printf("record %" PRIu64 " is none of a fuzzer's log\n", at);
	exit(2);
}

static void next(void *record)
{
	const unsigned char *byte = record;

	if (fread(record, sizeof(struct fuzz_record), 1, file) != 1) {
		printf("the log ends in the middle\n");
		exit(2);
	}
	for (unsigned i = 0; i < sizeof(struct fuzz_record); i++)
		digest = (digest ^ byte[i]) * 0x100000001b3ul;
	at++;
}

static void slot_load(struct node *n, const struct exo_cap *c)
{
	*n = (struct node){ .sid = n->sid, .parent = c->parent, .lo = c->lo, .hi = c->hi,
		.gen = c->gen, .unit = c->unit, .badge = c->badge, .rights = c->rights,
		.kind = c->kind, .flags = c->flags, .gen_known = true };
}

static void slot_compare(struct node *n, const struct exo_cap *c)
{
	bool same = n->kind == c->kind;

	if (n->gen_known && n->gen != c->gen)
		DIFFERS("slot %#x: generation %#x, expected %#x", n->sid, c->gen, n->gen);
	n->gen = c->gen;
	n->gen_known = true;
	if (same && c->kind)
		same = n->rights == c->rights && n->flags == (c->flags & ~EXO_CAP_ASKED) &&
		       n->lo == c->lo &&
		       n->hi == c->hi && (!model_node(c->parent) || n->parent == c->parent);
	if (same && (c->kind == EXO_KIND_GATE))
		same = n->badge == c->badge;
	/* `unit` of FRAME: how many it holds still; the owner map says whether that is so. */
	if (same && c->kind && c->kind != EXO_KIND_TABLE && c->kind != EXO_KIND_FRAME)
		same = n->unit == c->unit;
	if (!same)
		DIFFERS("slot %#x: kind %u rights %#x flags %#x [%#" PRIx64 ", %#" PRIx64 ") "
			"parent %#x, expected kind %u rights %#x flags %#x [%#" PRIx64 ", %#" PRIx64
			") parent %#x", n->sid, c->kind, c->rights, c->flags, c->lo, c->hi,
			c->parent, n->kind, n->rights, n->flags, n->lo, n->hi, n->parent);
}

static void read_table(uint64_t pfn)
{
	struct exo_cap c[EXO_SLOTS_PER_FRAME];

	if (pfn >= MODEL_PFNS)
		broken();
	for (unsigned i = 0; i < EXO_SLOTS_PER_FRAME; i++)
		next(&c[i]);
	if (!model.table[pfn]) {
		DIFFERS("a table at frame %#" PRIx64 " that should not be", pfn);
		return;
	}
	tables++;
	for (unsigned i = 0; i < EXO_SLOTS_PER_FRAME; i++)
		if (started)
			slot_compare(&model.table[pfn]->slot[i], &c[i]);
		else
			slot_load(&model.table[pfn]->slot[i], &c[i]);
}

/* An entry as the processor sees it: present, writable, frame, execute. */
static bool entry_is(const struct entry *e, uint64_t value)
{
	uint64_t frame = (value & 0x000ffffffffff000ul) >> 12;

	if (!e->present || !(value & 1))
		return !e->present && !(value & 1);
	if (e->leaf && (!(value >> 1 & 1) != !(e->prot & EXO_R_WRITE) ||
			!(value >> 63) != !!(e->prot & EXO_R_EXEC)))
		return false;
	return frame == e->pfn;
}

static void read_pt(uint64_t pfn)
{
	const struct pt *t = model_frame(pfn) ? model.pt[pfn - model.lo] : NULL;
	uint64_t value[512];

	if (pfn < model.lo || pfn >= model.hi)
		broken();
	for (unsigned i = 0; i < 512; i += 8)
		next(&value[i]);
	if (!t) {
		DIFFERS("a page table at frame %#" PRIx64 " that should not be", pfn);
		return;
	}
	pts++;
	for (unsigned i = 0; i < (t->level == 4 ? EXO_SELF_SLOT : 512); i++)
		if (!entry_is(&t->entry[i], value[i]))
			DIFFERS("page table %#" PRIx64 " entry %u: %#" PRIx64 ", expected frame %#"
				PRIx64 " prot %u", pfn, i, value[i], t->entry[i].pfn,
				t->entry[i].prot);
}

static void read_map(uint64_t lo, uint64_t count)
{
	struct exo_frame four[4];

	if (lo != model.lo || count != model.hi - model.lo)
		broken();
	for (uint64_t i = 0; i < count; i++) {
		const struct exo_frame *f = &four[i % 4];
		struct frame *m = &model.frame[lo + i - model.lo];

		if (i % 4 == 0)
			next(four);
		if (!started)
			*m = (struct frame){ .holder = f->holder, .use = f->use };
		else if (f->holder != m->holder || f->use != m->use)
			DIFFERS("frame %#" PRIx64 ": holder %#x use %u, expected %#x %u", lo + i,
				f->holder, f->use, m->holder, m->use);
		else if (f->use == EXO_USE_MEMORY && f->maps != m->maps)
			DIFFERS("frame %#" PRIx64 ": %u mappings, expected %u", lo + i, f->maps,
				m->maps);
	}
}

static void read_vector(uint64_t cpu)
{
	uint64_t env[EXO_VECTOR_SLOTS];

	for (unsigned i = 0; i < EXO_VECTOR_SLOTS; i += 8)
		next(&env[i]);
	for (unsigned i = 0; cpu < MODEL_CPUS && i < EXO_VECTOR_SLOTS; i++)
		if (!started)
			model.vector[cpu][i] = env[i];
		else if (env[i] != model.vector[cpu][i])
			DIFFERS("CPU %" PRIu64 " slot %u: %#" PRIx64 ", expected %#" PRIx64, cpu, i,
				env[i], model.vector[cpu][i]);
}

/* After the first checkpoint: hang each claim on its parent, where that is known. */
static void hang_all(void)
{
	for (unsigned a = 0; a < model.actors; a++)
		for (unsigned i = 0; i < EXO_SLOTS_PER_FRAME; i++) {
			struct node *n = &model.table[model.own[a]]->slot[i];
			struct node *parent = n->kind ? model_node(n->parent) : NULL;

			if (parent) {
				n->next = parent->child;
				parent->child = n->sid;
			}
		}
}

static void read_call(const struct fuzz_record *r, const uint64_t op[6])
{
	int64_t want = model_call(r, op, false);
	bool good = r->result >= 0;
	struct node *n;

	calls++;
	if (want == MODEL_LOOSE)
		loose++;
	else if (want < 0 ? r->result != want : !good || (want && r->result != want))
		DIFFERS("call %#x of actor %u (%#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64
			", %#" PRIx64 "): %" PRId64 ", expected %" PRId64, r->what, r->actor,
			r->arg[0], r->arg[1], r->arg[2], r->arg[3], r->arg[4], r->result, want);
	if (!good || (want < 0 && want != MODEL_LOOSE))
		return;
	model_call(r, op, true);
	/* A new claim's name tells its generation. */
	n = r->result > 0xffffffff ? model_node(exo_slot_sid((uint64_t)r->result)) : NULL;
	if (!n)
		return;
	if (n->gen_known && n->gen != exo_slot_gen((uint64_t)r->result))
		DIFFERS("slot %#x got generation %#x, expected %#x", n->sid,
			exo_slot_gen((uint64_t)r->result), n->gen);
	n->gen = exo_slot_gen((uint64_t)r->result);
	n->gen_known = true;
}

static void begin(const struct fuzz_record *r)
{
	if (r->what != FUZZ_HEADER || r->arg[0] != FUZZ_MAGIC || r->arg[2] > MODEL_ACTORS ||
	    r->arg[3] >= r->arg[4] || r->arg[4] > MODEL_PFNS)
		broken();
	model.actors = r->arg[2];
	model.lo = r->arg[3];
	model.hi = r->arg[4];
	model.frame = calloc(model.hi - model.lo, sizeof(*model.frame));
	model.pt = calloc(model.hi - model.lo, sizeof(*model.pt));
}

static bool read_record(const struct fuzz_record *r)
{
	static uint64_t op[6];

	switch (r->what) {
	case FUZZ_ACTOR:
		if ((uint64_t)r->result >= model.actors || r->arg[1] >= MODEL_PFNS)
			broken();
		model.env[r->result] = r->arg[0];
		model.own[r->result] = r->arg[1];
		model_table(r->arg[1], r->arg[0]);
		break;
	case FUZZ_OP: memcpy(op, r->arg, sizeof(op)); break;
	case FUZZ_CHECK: checks++; break;
	case FUZZ_TABLE: read_table(r->arg[0]); break;
	case FUZZ_PT: read_pt(r->arg[0]); break;
	case FUZZ_MAP: read_map(r->arg[0], r->arg[1]); break;
	case FUZZ_VECTOR: read_vector(r->arg[0]); break;
	case FUZZ_DONE:
		if (!started)
			hang_all();
		started = true;
		break;
	case FUZZ_END: return false;
	default:
		if (r->what < 0x4000 || r->actor >= model.actors)
			broken();
		read_call(r, op);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct fuzz_record r;

	file = argc == 2 || argc == 3 ? fopen(argv[1], "rb") : NULL;
	if (!file || (argc == 3 && fseek(file, strtol(argv[2], NULL, 0), SEEK_SET))) {
		printf("usage: replay LOG [BYTE]\n");
		return 2;
	}
	next(&r);
	begin(&r);
	do
		next(&r);
	while (read_record(&r));
	printf("replay: %u calls, %u of them loose, %u checkpoints, %u tables, %u page tables, "
	       "%u differences, digest %016" PRIx64 "\n", calls, loose, checks, tables, pts, wrong,
	       digest);
	return wrong || checks < 2;
}
