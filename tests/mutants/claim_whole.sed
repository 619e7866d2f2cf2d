# SPDX-License-Identifier: MIT
# file: exo/claim.h
# fault: a claim that gave frames away counts as if it held all
# machine: smp1
# tests: siblings_never_overlap evil_twice_the_same
s/return c->unit == c->hi - c->lo;/return c->kind == EXO_KIND_FRAME;/
