# SPDX-License-Identifier: MIT
# file: exo/table.c
# fault: frames that a large page maps stay known to be zero
# machine: smp1
# tests: frames_of_large_pages_are_not_known_to_be_zero
s/^\t\tk->zeros = 0;$//
