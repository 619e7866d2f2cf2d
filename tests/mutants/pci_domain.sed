# SPDX-License-Identifier: MIT
# file: exo/dev/pci_claim.c
# fault: a device reaches what a space for environments maps
# machine: evil
# tests: evil_spaces_for_another_use
s/return (\*space)->unit != EXO_SPACE_DEVICE ? -EXO_E_KIND : 0;/return 0;/
