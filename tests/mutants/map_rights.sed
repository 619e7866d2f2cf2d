# SPDX-License-Identifier: MIT
# file: exo/space.c
# fault: mappings with more rights than the claim
# machine: smp1
# tests: protect_stays_within_the_claim exported_memory_is_read_only
s/if (prot & ~(unsigned)most)/if (0)/
