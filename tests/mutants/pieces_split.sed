# SPDX-License-Identifier: MIT
# file: exo/pieces.c
# fault: siblings of blocks may overlap
s/return !c || c->hi <= lo;/return !c || c->hi <= lo || hi > lo;/
