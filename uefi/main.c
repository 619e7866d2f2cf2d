/* SPDX-License-Identifier: MIT */
/*
 * main.c - the boot sequence, from the firmware's call to the kernel's first instruction.
 *
 * Invariant: until leave_firmware, every failure is said on the firmware's console and returned to
 * the firmware; after it, nothing can fail.
 */
#include "loader.h"

#include "cmdline.h"

#include <base/string.h>

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *st);

static bool loader_start(struct loader *l, EFI_HANDLE handle, EFI_SYSTEM_TABLE *st)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	uint64_t pages = (sizeof(*l->boot) + 4095) / 4096;

	memset(l, 0, sizeof(*l));
	l->handle = handle;
	l->st = st;
	l->bs = st->BootServices;
	if (l->bs->HandleProtocol(handle, &guid, (void **)&l->loaded) != EFI_SUCCESS)
		return refuse(&l->why, "firmware: it does not say where exo.efi was loaded");
	l->boot = memory_keep(l, pages, EXO_BOOT_KEPT, 0, "boot information");
	if (!l->boot)
		return false;
	memset(l->boot, 0, pages * 4096);
	l->boot->magic = EXO_BOOT_MAGIC;
	l->boot->version = EXO_BOOT_VERSION;
	l->boot->size = sizeof(*l->boot);
	return true;
}

/* Load options win over \exo\boot.txt. */
static bool loader_line(struct loader *l)
{
	char *line = l->boot->cmdline;
	static char option[EXO_CMDLINE_MAX];

	switch (cmdline_options(option, l->loaded->LoadOptions, l->loaded->LoadOptionsSize,
				&l->why)) {
	case CMDLINE_LONG:
		return false;
	case CMDLINE_TEXT:
		string_copy(line, option, EXO_CMDLINE_MAX);
		break;
	case CMDLINE_BINARY:
		say(l, "load options are not ASCII text: ignored");
		break;
	case CMDLINE_NONE:
		break;
	}
	l->boot->cmdline_bytes = (uint32_t)strlen(line);
	return true;
}

static bool loader_load(struct loader *l)
{
	return facts_processor(l) &&    /* NX, four-level paging */
	       pieces_archive(l) &&     /* the archive inside exo.efi, checked */
	       volume_read(l) &&        /* \exo\: boot line, more members */
	       loader_line(l) &&        /* load options */
	       pieces_kernel(l) &&      /* the kernel's image, in place */
	       pieces_combine(l) &&     /* the archive as the kernel gets it */
	       pieces_init(l);          /* the first program, laid out in pages */
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *st)
{
	static struct loader l;
	EFI_STATUS status;

	if (!loader_start(&l, handle, st))
		goto refused;
	facts_secure(&l);
	if (!loader_load(&l))
		goto refused;
	facts_screen(&l);
	facts_acpi(&l);
	facts_ap_page(&l);
	if (!leave_prepare(&l))
		goto refused;
	status = leave_firmware(&l);
	if (status != EFI_SUCCESS) {
		say(&l, "firmware: it does not let go (status %lu)", (uint64_t)status & 0xff);
		return status;
	}
	/* Point of no return: no firmware any more, nothing below can fail. */
	enter_kernel(l.boot->pml4_pa, l.kernel->entry_va,
		     EXO_DIRECT_VA + l.stack + LOADER_STACK_PAGES * 4096,
		     EXO_DIRECT_VA + (uint64_t)l.boot);
refused:
	say(&l, "%s", l.why.text);
	return EFI_LOAD_ERROR;
}
