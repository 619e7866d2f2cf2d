/* SPDX-License-Identifier: MIT */
/*
 * pci_scan.c - which functions there are: bus by bus, bridges followed.
 *
 * Invariant: each bus is scanned at most once, however bridges are numbered, and the list has room
 * for what the first of two equal walks counted; a function that shows up only in the second
 * is left out.
 */
#include "dev/pci.h"

#include "dev/acpi.h"
#include "kernel.h"

#define CLASS_BRIDGE 0x0604u    /* class and subclass of a PCI-to-PCI bridge */
#define MULTI        0x80u      /* header type: there are functions beyond 0 */

struct pci_list pci;

struct walk {
	uint32_t segment;
	uint64_t seen[4];       /* buses scanned or to scan */
	uint8_t  todo[256];
	unsigned todo_count;
	uint32_t count;         /* functions found */
	uint32_t room;          /* of pci.info; 0 while counting */
};

static void walk_bus_add(struct walk *w, uint32_t bus)
{
	uint64_t bit = 1ul << (bus & 63);

	if (w->seen[bus >> 6] & bit)
		return;
	w->seen[bus >> 6] |= bit;
	w->todo[w->todo_count++] = (uint8_t)bus;
}

/* One function; its header type, or -1 if nobody is there. */
static int walk_function(struct walk *w, uint32_t where)
{
	uint32_t id = pci_read(where, PCI_ID), class_code;
	uint32_t header;

	if ((id & 0xffff) == 0xffff)
		return -1;
	class_code = pci_read(where, PCI_CLASS) >> 8;
	header = pci_read(where, PCI_HEADER) >> 16 & 0xff;
	if (w->count < w->room)
		pci.info[w->count] = (struct exo_pci_info){
			.vendor = (uint16_t)id, .device = (uint16_t)(id >> 16),
			.where = where, .class_code = class_code };
	w->count++;
	if (class_code >> 8 == CLASS_BRIDGE && (header & 0x7f) == 1)
		walk_bus_add(w, pci_read(where, PCI_BUSES) >> 8 & 0xff);
	return (int)header;
}

static void walk_bus(struct walk *w, uint32_t bus)
{
	for (uint32_t device = 0; device < 32; device++) {
		uint32_t where = w->segment << 16 | bus << 8 | device << 3;
		int header = walk_function(w, where);

		for (uint32_t f = 1; header >= 0 && header & (int)MULTI && f < 8; f++)
			walk_function(w, where | f);
	}
}

/* Everything that hangs on the root bus of a segment; functions of 0:0 are further root buses. */
static void walk_segment(struct walk *w, uint32_t segment, uint32_t bus)
{
	uint32_t root = segment << 16 | bus << 8;

	w->segment = segment;
	memset(w->seen, 0, sizeof(w->seen));
	w->todo_count = 0;
	walk_bus_add(w, bus);
	if (pci_read(root, PCI_HEADER) >> 16 & MULTI) {
		for (uint32_t f = 1; f < 8; f++)
			if ((pci_read(root | f, PCI_ID) & 0xffff) != 0xffff &&
			    pci_read(root | f, PCI_CLASS) >> 16 == 0x0600)
				walk_bus_add(w, f);
	}
	for (unsigned i = 0; i < w->todo_count; i++)
		walk_bus(w, w->todo[i]);
}

static uint32_t walk_all(uint32_t room)
{
	struct walk w = { .room = room };

	if (!acpi.segments)
		walk_segment(&w, 0, 0);
	for (uint32_t i = 0; i < acpi.segments; i++)
		walk_segment(&w, acpi.segment[i].segment, acpi.segment[i].bus_lo);
	return w.count;
}

void pci_scan(void)
{
	uint32_t room = walk_all(0);

	pci.info = boot_export(room * sizeof(*pci.info));
	pci.count = (uint32_t)min_u64(walk_all(room), room);
}
