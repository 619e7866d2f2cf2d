# SPDX-License-Identifier: MIT
# file: exo/prog.c
# fault: a program is bound twice
# tests: evil_programs_that_are_none
s/return prog_at(c->lo)->pub.bound ? -EXO_E_BUSY : 0;/return 0;/
