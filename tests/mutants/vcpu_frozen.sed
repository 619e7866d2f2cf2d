# SPDX-License-Identifier: MIT
# file: exo/vcpu.c
# fault: guests get spaces that are being revoked
# tests: evil_claims_that_are_being_revoked
/^static int bind_check/,/^}/s/claim_ready(e, space/claim_find(e, space/
