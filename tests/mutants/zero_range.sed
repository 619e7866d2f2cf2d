# SPDX-License-Identifier: MIT
# file: exo/table.c
# fault: frames mapped by ranges stay known to be zero
# machine: smp1
# tests: frames_that_were_mapped_are_not_known_to_be_zero tables_leave_zeroes
s/^\t\t\tf->flags = 0;$/;/
