# SPDX-License-Identifier: MIT
# file: exo/lock.c
# fault: claims end while another CPU maps by them
# tests: claims_end_while_what_they_mapped_is_changed no_store_lands_after_a_revoke_is_done
/^void tree_take_rest/,/^}/s/lock_take(&cpus\[i\]->tree);/;/
