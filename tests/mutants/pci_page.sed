# SPDX-License-Identifier: MIT
# file: exo/dev/pci_claim.c
# fault: registers of others, and interrupt tables, are mapped
# machine: iommu
# tests: pci_registers_are_mapped_and_no_other_page pci_msix_pages_are_never_mapped
s/if (!pci_page_is_open(f, pfn + i))/if (!pfn \&\& !pci_page_is_open(f, pfn + i))/
