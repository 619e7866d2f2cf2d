# SPDX-License-Identifier: MIT
# file: exo/retype.c
# fault: objects of frames outside the claim
# tests: evil_numbers_that_lie
s/if ((err = claim_holds(src, lo, p->frames)) < 0)/if ((err = 0))/
