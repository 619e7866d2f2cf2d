/* SPDX-License-Identifier: MIT */
/*
 * trace.h - what happened lately on this CPU, as records in the export area.
 */
#ifndef EXO_TRACE_INTERNAL_H
#define EXO_TRACE_INTERNAL_H

#include <exo/machine.h>

/* Add a record (machine.h says what a and b are for each kind). */
void trace_record(enum exo_trace_kind kind, uint64_t a, uint32_t b);

#endif
