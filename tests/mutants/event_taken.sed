# SPDX-License-Identifier: MIT
# file: exo/event.c
# fault: two sources on one event entry
# machine: smp1
# tests: doorbells_are_checked interrupts_are_bound_once
s/if (s->kind != SOURCE_NONE)/if (0)/
