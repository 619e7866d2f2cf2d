# SPDX-License-Identifier: MIT
# file: exo/dev/pci_claim.c
# fault: configuration writes go to any field
# machine: evil
# tests: evil_numbers_that_lie
s/if (size != 2 || (off != PCI_COMMAND && off != CONFIG_STATUS))/if (size > 4)/
