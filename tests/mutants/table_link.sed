# SPDX-License-Identifier: MIT
# file: exo/space.c
# fault: a table's account of its used entries misses links to other tables
# machine: smp1
# tests: tables_used_at_random_leave_zeroes
s/^\t\t    c->unit < 3 ? TABLE_GROUPS : TABLE_TOP_GROUPS) |= group_of(pte);$/\t\t    TABLE_GROUPS) |= 0;/
