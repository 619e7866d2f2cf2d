# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: deriving adds rights
# tests: evil_numbers_that_lie rights_only_shrink
s/if (spec->rights & ~(unsigned)parent->rights)/if (0)/
