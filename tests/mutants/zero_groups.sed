# SPDX-License-Identifier: MIT
# file: exo/table.c
# fault: only the shadow of the first group of a table's entries is wiped
# machine: smp1
# tests: tables_leave_zeroes
s/for (; groups; groups &= groups - 1)$/for (groups \&= 1; groups; groups = 0)/
