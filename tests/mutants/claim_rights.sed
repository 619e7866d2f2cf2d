# SPDX-License-Identifier: MIT
# file: exo/claim.h
# fault: a call does not need its right
# tests: evil_claims_without_the_right
s/return rights \& ~(unsigned)(\*out)->rights ?/return rights \& 0u ?/
