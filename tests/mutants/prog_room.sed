# SPDX-License-Identifier: MIT
# file: exo/prog.c
# fault: programs are longer than their object has room for
# machine: smp1
# tests: prog_load_is_checked
s/if (count > p->max)/if (0)/
