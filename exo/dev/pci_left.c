/* SPDX-License-Identifier: MIT */
/*
 * pci_left.c - functions that the boot line leaves to programs, though the kernel has a driver.
 *
 * Not a right: what the kernel does not drive is given as a PCI claim like any other function.
 */
#include <base/format.h>

#include "dev/pci.h"
#include "kernel.h"

/* The word is leave=BUS:DEVICE.FUNCTION, hexadecimal, of segment 0. */
bool pci_is_left(const struct exo_pci_info *info)
{
	char word[24];

	if (info->where >> 16)
		return false;
	format_buffer(word, sizeof(word), "leave=%02x:%02x.%x", info->where >> 8 & 0xff,
		      info->where >> 3 & 31, info->where & 7);
	return boot_word(word);
}
