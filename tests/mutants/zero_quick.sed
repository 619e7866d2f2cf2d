# SPDX-License-Identifier: MIT
# file: exo/quick.h
# fault: frames mapped by the shortest way stay known to be zero
# machine: smp1
# tests: frames_that_were_mapped_are_not_known_to_be_zero
s/^\tf->flags = 0;$//
