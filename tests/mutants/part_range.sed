# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: a part may reach beyond the claim's end
# tests: evil_numbers_that_lie
s/ || spec->hi > parent->hi)/)/
