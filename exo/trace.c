/* SPDX-License-Identifier: MIT */
/*
 * trace.c - what happened lately on this CPU, as records in the export area.
 */
#include "trace.h"

#include "cpu.h"

void trace_record(enum exo_trace_kind kind, uint64_t a, uint32_t b)
{
	struct cpu *c = this_cpu();
	struct exo_trace *t = c->trace;
	struct exo_trace_record *r = &t->record[c->trace_next];

	c->trace_next = c->trace_next + 1 < EXO_TRACE_RECORDS ? c->trace_next + 1 : 0;

	r->tsc = read_tsc();
	r->kind = kind;
	r->a = a;
	r->b = b;
	__atomic_store_n(&t->count, t->count + 1, __ATOMIC_RELEASE);
}
