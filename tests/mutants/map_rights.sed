# SPDX-License-Identifier: MIT
# file: exo/space.c
# fault: mappings with more rights than the claim
s/if (prot & ~(unsigned)most)/if (0)/
