# SPDX-License-Identifier: MIT
# file: exo/dev/pci_claim.c
# fault: bus mastering without a domain
# machine: evil
# tests: evil_functions_given_on_or_reset
s/return f->info->domain ? 0 : -EXO_E_NOTABLE;/return 0;/
