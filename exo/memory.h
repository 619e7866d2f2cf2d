/* SPDX-License-Identifier: MIT */
/*
 * memory.h - the machine's memory at boot: what the kernel keeps, the owner map, the export area.
 */
#ifndef EXO_MEMORY_H
#define EXO_MEMORY_H

#include <exo/machine.h>

#include "run.h"

/* Choose where to take memory from; first of all. */
void memory_start(void);

/* Begin the export area, with the machine page and the owner map. */
void export_start(void);

/* Fill the owner map's uses; when the kernel has all that it keeps. */
void memory_settle(void);

/* Name every run of frames there is. */
typedef void run_sink(uint64_t lo, uint64_t hi, enum exo_run_kind kind);
void memory_runs(run_sink *sink);

#endif
