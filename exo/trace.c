/* SPDX-License-Identifier: MIT */
/*
 * trace.c - what happened lately on this CPU, as records in the export area.
 */
#include "trace.h"

#include "cpu.h"

void trace_record(enum exo_trace_kind kind, uint64_t a, uint32_t b)
{
	struct exo_trace_record *r = trace_next(this_cpu());

	r->tsc = read_tsc();
	r->kind = kind;
	r->a = a;
	r->b = b;
}
