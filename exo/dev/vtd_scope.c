/* SPDX-License-Identifier: MIT */
/*
 * vtd_scope.c - the DMAR table: which units there are, and for which functions each translates
 * (VT-d specification 3.0, chapter 8).
 *
 * Invariant: a structure is read only as far as it and the table reach; every walk goes forward.  A
 * function that no scope names and no unit takes as the rest is translated for by nobody.
 */
#include "dev/vtd.h"

#include "dev/acpi.h"
#include "dev/pci.h"
#include "kernel.h"

enum {
	FIRST = 48,             /* offset of the first structure */
	KIND_UNIT = 0,
	KIND_RESERVED = 1,
	UNIT_SCOPES = 16,
	RESERVED_SCOPES = 24,
	SCOPE_HEADER = 6,
	SCOPE_FUNCTION = 1,
	SCOPE_BRIDGE = 2,
	SCOPE_IOAPIC = 3,
	UNIT_ALL = 1,
	FLAG_REMAP = 1,
};

/* A remapping structure: false at the end. */
struct piece {
	uint32_t off, end, kind;
};

static bool piece_next(struct piece *p)
{
	const struct acpi_table *t = &acpi.dmar;
	uint32_t bytes;

	p->off = p->off ? p->end : FIRST;
	if (!range_fits(p->off, 4, t->length))
		return false;
	p->kind = acpi_u16(t, p->off);
	bytes = acpi_u16(t, p->off + 2);
	p->end = p->off + bytes;
	return bytes >= 4 && range_fits(p->off, bytes, t->length);
}

/* One device scope of a structure. */
struct scope {
	uint32_t off, end;      /* of what is left */
	uint32_t kind, id, segment, where;
};

/* The function at the end of a scope's path: bus by bus through bridges. */
static uint32_t scope_where(const struct scope *s, uint32_t off, uint32_t bytes)
{
	const struct acpi_table *t = &acpi.dmar;
	uint32_t bus = acpi_u8(t, off + 5), where = 0;

	for (uint32_t at = SCOPE_HEADER; at + 1 < bytes; at += 2) {
		if (at > SCOPE_HEADER)
			bus = pci_read(where, PCI_BUSES) >> 8 & 0xff;
		where = s->segment << 16 | bus << 8 | (acpi_u8(t, off + at) & 31u) << 3 |
		        (acpi_u8(t, off + at + 1) & 7u);
	}
	return where;
}

static bool scope_next(struct scope *s)
{
	uint32_t off = s->off, bytes = acpi_u8(&acpi.dmar, off + 1);

	if (!range_fits(off, SCOPE_HEADER, s->end) || bytes < SCOPE_HEADER + 2 ||
	    !range_fits(off, bytes, s->end))
		return false;
	s->kind = acpi_u8(&acpi.dmar, off);
	s->id = acpi_u8(&acpi.dmar, off + 4);
	s->where = scope_where(s, off, bytes);
	s->off = off + bytes;
	return true;
}

static bool scope_has(const struct scope *s, uint32_t where)
{
	uint32_t buses, bus = where >> 8 & 0xff;

	if (s->kind == SCOPE_FUNCTION)
		return s->where == where;
	if (s->kind != SCOPE_BRIDGE || s->where >> 16 != where >> 16)
		return false;
	buses = pci_read(s->where, PCI_BUSES);
	return s->where == where ||
	       (bus >= (buses >> 8 & 0xff) && bus <= (buses >> 16 & 0xff));
}

static bool scopes_have(uint32_t segment, uint32_t off, uint32_t end, uint32_t where)
{
	struct scope s = { .off = off, .end = end, .segment = segment };

	while (scope_next(&s))
		if (scope_has(&s, where))
			return true;
	return false;
}

struct vtd_unit *vtd_unit_of(uint32_t where)
{
	struct vtd_unit *rest = NULL;

	for (uint32_t i = 0; i < vtd_count; i++) {
		struct vtd_unit *u = &vtd_units[i];

		if (u->segment != where >> 16)
			continue;
		if (u->all)
			rest = u;
		else if (scopes_have(u->segment, u->scopes_off, u->scopes_end, where))
			return u;
	}
	return rest;
}

bool vtd_reserved(uint32_t where)
{
	struct piece p = { .off = 0 };

	while (piece_next(&p))
		if (p.kind == KIND_RESERVED && acpi_u16(&acpi.dmar, p.off + 6) == where >> 16 &&
		    scopes_have(where >> 16, p.off + RESERVED_SCOPES, p.end, where))
			return true;
	return false;
}

bool vtd_ioapic_requester(uint8_t id, uint32_t *requester)
{
	for (uint32_t i = 0; i < vtd_count; i++) {
		struct scope s = { .off = vtd_units[i].scopes_off, .end = vtd_units[i].scopes_end };

		while (scope_next(&s))
			if (s.kind == SCOPE_IOAPIC && s.id == id) {
				*requester = s.where & 0xffff;
				return true;
			}
	}
	return false;
}

bool vtd_units_find(void)
{
	const struct acpi_table *t = &acpi.dmar;
	struct piece p = { .off = 0 };

	if (!t->length)
		return false;
	while (piece_next(&p)) {
		if (p.kind != KIND_UNIT || vtd_count == VTD_MAX_UNITS)
			continue;
		vtd_units[vtd_count++] = (struct vtd_unit){
			.pa = acpi_u64(t, p.off + 8), .segment = acpi_u16(t, p.off + 6),
			.all = acpi_u8(t, p.off + 4) & UNIT_ALL,
			.scopes_off = p.off + UNIT_SCOPES, .scopes_end = p.end };
	}
	if (!(acpi_u8(t, 37) & FLAG_REMAP))
		machine_notice("no IOMMU: the firmware says it remaps no interrupts");
	return vtd_count && (acpi_u8(t, 37) & FLAG_REMAP);
}
