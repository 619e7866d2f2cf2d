# SPDX-License-Identifier: MIT
# file: exo/claim.c
# fault: names of another environment's table are taken
# tests: evil_names_of_others
s/f->use != EXO_USE_TABLE || f->object != e->id/f->use != EXO_USE_TABLE/
