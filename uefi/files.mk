# SPDX-License-Identifier: MIT
# The UEFI loader.
# archive, cmdline, elf, image, exit, paging and range know no firmware and are tested on the host.
uefi-src := uefi/main.c uefi/say.c uefi/memory.c uefi/pieces.c uefi/volume.c uefi/facts.c \
	uefi/leave.c uefi/archive.c uefi/cmdline.c uefi/elf.c uefi/image.c uefi/exit.c \
	uefi/paging.c uefi/range.c uefi/x86/enter.S
