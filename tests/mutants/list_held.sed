# SPDX-License-Identifier: MIT
# file: exo/table.h
# fault: two CPUs change a claim's list of mappings at once
# tests: mappings_of_all_are_changed_by_all claims_end_while_what_they_mapped_is_changed
s/head = __atomic_exchange_n(&claim->bind, LIST_HELD, __ATOMIC_ACQUIRE)/head = __atomic_load_n(\&claim->bind, __ATOMIC_ACQUIRE)/
