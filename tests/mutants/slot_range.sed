# SPDX-License-Identifier: MIT
# file: exo/slices.c
# fault: time slots outside the claim are set
s/if (slot < claim->lo || slot >= claim->hi)/if (slot >= EXO_VECTOR_SLOTS)/
