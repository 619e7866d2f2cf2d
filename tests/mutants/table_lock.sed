# SPDX-License-Identifier: MIT
# file: exo/quick.h
# fault: entries are changed by the shortest way while another CPU changes them
# tests: rights_do_not_grow_while_a_page_changes_hands mappings_of_all_are_changed_by_all
s/^\tlock_take(l->lock);$//
s/^\tlock_release(l->lock);$//
