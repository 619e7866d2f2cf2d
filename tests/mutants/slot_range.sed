# SPDX-License-Identifier: MIT
# file: exo/slices.c
# fault: time slots outside the claim are set
# machine: smp1
# tests: slots_are_set_by_their_holder
s/if (slot < claim->lo || slot >= claim->hi)/if (slot >= EXO_VECTOR_SLOTS)/
