# SPDX-License-Identifier: MIT
# file: exo/dev/pci_claim.c
# fault: who gave a device function on goes on using it
# tests: evil_functions_given_on_or_reset
/^int pci_claim_find/,/^}/s/if ((\*c)->child)/if (0)/
