# SPDX-License-Identifier: MIT
# file: exo/quick.h
# fault: a table's account of its used entries misses pages mapped by the shortest way
# machine: smp1
# tests: tables_used_at_random_leave_zeroes
s/^\t\*groups |= group_of(pte);$/\t(void)groups;/
