# SPDX-License-Identifier: MIT
# file: exo/retype.c
# fault: mapped memory becomes an object
# machine: smp1
# tests: what_is_not_plain_memory_of_ours_is_no_object
s/maps ? -EXO_E_MAPPED : 0/0/
