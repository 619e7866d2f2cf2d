/* SPDX-License-Identifier: MIT */
/*
 * facts.c - what the machine has: processor, Secure Boot, screen, ACPI, a page for other CPUs.
 *
 * Invariant: what is missing leaves its field 0; only a processor that cannot run exo is refused.
 */
#include "loader.h"

#include "x86/insn.h"

#include <base/string.h>

enum {
	CPUID_EXT = 0x80000001u, CPUID_EDX_NX = 1 << 20, CPUID_EDX_GIGA = 1 << 26,
	CR4_LA57 = 1 << 12,
	PAGE = 4096, LOW_END = 0xa0000,
};

bool facts_processor(struct loader *l)
{
	uint32_t edx = 0;

	if (insn_cpuid_eax(0x80000000u) >= CPUID_EXT)
		edx = insn_cpuid_edx(CPUID_EXT);
	if (!(edx & CPUID_EDX_NX))
		return refuse(&l->why, "processor: it has no NX (no-execute pages); "
			      "switch it on in the firmware's setup");
	if (insn_read_cr4() & CR4_LA57)
		return refuse(&l->why, "processor: the firmware uses five-level paging; "
			      "switch it off in its setup");
	l->paging.giga = edx & CPUID_EDX_GIGA;
	return true;
}

void facts_secure(struct loader *l)
{
	EFI_GUID global = EFI_GLOBAL_VARIABLE;
	UINT8 on = 0;
	UINTN bytes = sizeof(on);
	EFI_RUNTIME_SERVICES *rs = l->st->RuntimeServices;
	EFI_STATUS s = rs->GetVariable(L"SecureBoot", &global, NULL, &bytes, &on);

	l->secure = s == EFI_SUCCESS && on == 1;
}

void facts_screen(struct loader *l)
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
	EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode;

	if (l->bs->LocateProtocol(&guid, NULL, (void **)&gop) != EFI_SUCCESS || !gop->Mode)
		return;
	mode = gop->Mode;
	if (!mode->Info || mode->FrameBufferBase == 0 ||
	    mode->Info->PixelFormat > PixelBlueGreenRedReserved8BitPerColor)
		return;
	l->boot->screen_base = mode->FrameBufferBase;
	l->boot->screen_bytes = mode->FrameBufferSize;
	l->boot->screen_width = mode->Info->HorizontalResolution;
	l->boot->screen_height = mode->Info->VerticalResolution;
	l->boot->screen_stride = mode->Info->PixelsPerScanLine;
	l->boot->screen_format = mode->Info->PixelFormat;
}

static uint64_t table_find(const struct loader *l, const EFI_GUID *guid)
{
	const EFI_CONFIGURATION_TABLE *t = l->st->ConfigurationTable;

	for (UINTN i = 0; i < l->st->NumberOfTableEntries; i++)
		if (memcmp(&t[i].VendorGuid, guid, sizeof(*guid)) == 0)
			return (uint64_t)t[i].VendorTable;
	return 0;
}

void facts_acpi(struct loader *l)
{
	EFI_GUID acpi2 = ACPI_20_TABLE_GUID, acpi1 = ACPI_TABLE_GUID;

	l->boot->rsdp = table_find(l, &acpi2);
	if (!l->boot->rsdp)
		l->boot->rsdp = table_find(l, &acpi1);
	if (!l->boot->rsdp)
		say(l, "no ACPI tables: one CPU, no power-off");
}

/* The lowest free page from 0x1000 on: other CPUs start in real mode. */
void facts_ap_page(struct loader *l)
{
	for (EFI_PHYSICAL_ADDRESS pa = PAGE; pa < LOW_END; pa += PAGE) {
		if (l->bs->AllocatePages(AllocateAddress, EfiLoaderData, 1, &pa) != EFI_SUCCESS)
			continue;
		if (memory_note(l, pa, 1, EXO_BOOT_KEPT))
			l->boot->ap_page = pa;
		return;
	}
	say(l, "no free page below 640 KiB: other CPUs stay off");
}
