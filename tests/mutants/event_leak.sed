# SPDX-License-Identifier: MIT
# file: exo/event.c
# fault: an ended doorbell keeps its event entry
# machine: smp1
# tests: doorbells_are_checked a_doorbell_posts_its_entry evil_twice_the_same
s/s->kind == SOURCE_DOORBELL && !--s->id/s->kind == SOURCE_NONE/
