# SPDX-License-Identifier: MIT
# The kernel's devices: what it must drive in order to share it, and what it must keep.
exo-dev-src := \
	exo/dev/acpi.c exo/dev/acpi_madt.c exo/dev/acpi_fadt.c \
	exo/dev/pci.c exo/dev/pci_scan.c exo/dev/pci_left.c exo/dev/msix.c \
	exo/dev/pci_function.c exo/dev/pci_reset.c exo/dev/pci_claim.c exo/dev/pci_vector.c \
	exo/dev/vtd.c exo/dev/vtd_scope.c exo/dev/vtd_queue.c exo/dev/vtd_irq.c exo/dev/vtd_fault.c \
	exo/dev/virtio.c exo/dev/virtio_blk.c exo/dev/nvme_disk.c \
	exo/dev/disk.c exo/dev/disk_bind.c exo/dev/disk_request.c exo/dev/disk_turn.c \
	exo/dev/virtio_net.c exo/dev/virtio_net_queue.c exo/dev/virtio_net_segment.c exo/dev/virtio_net_control.c \
	exo/dev/nic.c exo/dev/nic_bind.c exo/dev/nic_receive.c exo/dev/nic_kick.c \
	exo/dev/nic_send.c exo/dev/nic_turn.c exo/dev/nic_time.c exo/dev/nic_claim.c \
	exo/dev/serial.c exo/x86/ioapic.c exo/dev/irq.c
