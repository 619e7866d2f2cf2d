/* SPDX-License-Identifier: MIT */
/*
 * tree_fake.h - a machine of one CPU, whose lock is all of tree_lock, for host tests of what takes
 * it or a share of it.
 */
#ifndef TREE_FAKE_H
#define TREE_FAKE_H

#include "cpu.h"

static struct cpu the_cpu;
struct cpu *cpus[CPUS_MAX] = { &the_cpu };
unsigned cpu_count = 1;

#define tree_lock (the_cpu.tree)

#endif
