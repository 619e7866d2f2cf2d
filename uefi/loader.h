/* SPDX-License-Identifier: MIT */
/*
 * loader.h - the loader's state, and its parts that call the firmware.
 *
 * Until the firmware is left, addresses are physical and pointers at once: UEFI maps memory one to
 * one (UEFI 2.10 section 2.3.4).  Everything the kernel shall get is noted as a span when it is
 * allocated; what is not noted is free memory for the kernel.
 */
#ifndef UEFI_LOADER_H
#define UEFI_LOADER_H

#include <efi.h>

#include <exo/boot.h>

#include "archive.h"
#include "image.h"
#include "paging.h"
#include "range.h"
#include "why.h"

#define LOADER_SPANS 32u        /* noted allocations: 8 of init, about 8 others */
#define LOADER_FILES 64u        /* files taken from \exo\ */
#define LOADER_STACK_PAGES 4u

struct span {
	uint64_t pa, pages;
	uint32_t kind;                  /* enum exo_boot_mem */
};

struct loader {
	EFI_HANDLE handle;
	EFI_SYSTEM_TABLE *st;
	EFI_BOOT_SERVICES *bs;
	EFI_LOADED_IMAGE *loaded;
	struct why why;                 /* the last refusal */

	struct span span[LOADER_SPANS];
	uint32_t spans;

	struct exo_boot *boot;
	struct exo_archive *archive;    /* checked */
	struct image_head *kernel;      /* checked, page aligned, where it will run */
	uint64_t kernel_pages;
	uint64_t stack;                 /* lowest address */

	bool secure;                    /* Secure Boot is on: files replace nothing */
	bool line_from_file;            /* boot->cmdline is set by \exo\boot.txt */
	struct archive_file file[LOADER_FILES];
	uint32_t files;

	struct paging paging;
	struct range_list ranges;
	void *map;                      /* the firmware's memory map */
	UINTN map_room, map_bytes, map_key, map_step;
};

/* say.c */
void say(struct loader *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* memory.c: page-aligned memory, not cleared.  NULL with l->why set if there is none. */

/* Noted with this kind.  below: it ends at or below this address; 0: anywhere. */
void *memory_keep(struct loader *l, uint64_t pages, uint32_t kind, uint64_t below,
		  const char *what);
/* Not noted: the kernel gets it as free memory. */
void *memory_scratch(struct loader *l, uint64_t pages, const char *what);
void memory_release(struct loader *l, void *memory, uint64_t pages);
/* Note memory that is there already. */
bool memory_note(struct loader *l, uint64_t pa, uint64_t pages, uint32_t kind);

/* volume.c: the folder \exo\ of the volume the loader came from: boot line and files. */
bool volume_read(struct loader *l);

/* pieces.c: archive, kernel, first program. */
bool pieces_archive(struct loader *l);
bool pieces_kernel(struct loader *l);
bool pieces_combine(struct loader *l);
bool pieces_init(struct loader *l);

/* facts.c: what the machine has. */
bool facts_processor(struct loader *l);
void facts_secure(struct loader *l);
void facts_screen(struct loader *l);
void facts_acpi(struct loader *l);
void facts_ap_page(struct loader *l);

/* leave.c: page tables, then out of the firmware. */
bool leave_prepare(struct loader *l);
EFI_STATUS leave_firmware(struct loader *l);

/*
 * x86/enter.S: load cr3, go to `entry` with rsp = stack and rdi = boot.  The code lies within one
 * page, which cr3's tables map one to one.  Does not return.
 */
__attribute__((noreturn)) void enter_kernel(uint64_t cr3, uint64_t entry, uint64_t stack,
					    uint64_t boot);

/* x86/payload.S: the boot archive inside exo.efi. */
extern char payload_start[], payload_end[];

#endif
