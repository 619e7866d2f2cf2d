# SPDX-License-Identifier: MIT
# file: exo/claim.h
# fault: a call takes claims of any kind
# tests: evil_claims_of_other_kinds
s/if ((\*out)->kind != kind)/if (0 \&\& (*out)->kind != kind)/
