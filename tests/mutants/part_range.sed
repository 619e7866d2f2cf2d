# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: a part may reach beyond the claim's end
s/ || spec->hi > parent->hi)/)/
