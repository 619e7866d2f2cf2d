# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: deriving under a claim that is being revoked
# tests: evil_claims_that_are_being_revoked
/^int claim_derive_check/,/^}/s/if (parent->flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING))/if (0)/
