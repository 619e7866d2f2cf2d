# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: deriving adds rights
s/if (spec->rights & ~(unsigned)parent->rights)/if (0)/
