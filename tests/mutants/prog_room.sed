# SPDX-License-Identifier: MIT
# file: exo/prog.c
# fault: programs are longer than their object has room for
s/if (count > p->max)/if (0)/
