# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: a share may carry the right to retype
# tests: evil_numbers_that_lie
s/if (spec->share && (spec->rights & EXO_R_RETYPE))/if (0)/
