# SPDX-License-Identifier: MIT
# file: exo/table.h
# fault: the shadow of an entry that was unmapped keeps the links of its claim's list
# machine: smp1
# tests: tables_leave_nothing_of_their_entries
s/^\ts->next = s->prev = 0;$//
