/* SPDX-License-Identifier: MIT */
/*
 * pieces.c - the pieces the kernel is given: its image, the boot archive, the first program.
 *
 * Invariant: a piece is used only after its check.  The kernel's image runs where the firmware put
 * it, inside exo.efi, and the archive stays there too, unless files were added.
 */
#include "loader.h"

#include "elf.h"

#include <base/string.h>
#include <base/util.h>

enum { PAGE = 4096 };

/* Copy bytes into pages of their own. */
static void *copy_out(struct loader *l, const void *from, uint64_t bytes, const char *what)
{
	void *to = memory_scratch(l, round_up(bytes, PAGE) / PAGE, what);

	if (to) {
		memcpy(to, from, bytes);
		memset((char *)to + bytes, 0, round_up(bytes, PAGE) - bytes);
	}
	return to;
}

bool pieces_archive(struct loader *l)
{
	uint64_t bytes = (uint64_t)(payload_end - payload_start);

	l->archive = (struct exo_archive *)payload_start;
	if (bytes < sizeof(*l->archive))
		return refuse(&l->why, "boot archive: missing; build exo.efi again");
	if ((uint64_t)payload_start % PAGE)
		l->archive = copy_out(l, payload_start, bytes, "boot archive");
	return l->archive && archive_check(l->archive, bytes, &l->why);
}

static const struct archive_file *file_find(const struct loader *l, const char *name)
{
	for (uint32_t i = 0; i < l->files; i++)
		if (strcmp(l->file[i].name, name) == 0)
			return &l->file[i];
	return NULL;
}

/* From \exo\ if it is there, else from the archive. */
static bool kernel_find(struct loader *l, uint64_t *bytes)
{
	const struct archive_file *f = file_find(l, ARCHIVE_KERNEL);
	const struct exo_archive_entry *e = archive_find(l->archive, ARCHIVE_KERNEL);

	if (f) {
		l->kernel = (struct image_head *)f->data;
		*bytes = f->bytes;
		return true;
	}
	if (!e)
		return refuse(&l->why, "exo.kernel: missing in the boot archive");
	l->kernel = archive_data(l->archive, e);
	*bytes = e->bytes;
	return true;
}

bool pieces_kernel(struct loader *l)
{
	uint64_t bytes;

	if (!kernel_find(l, &bytes) || !image_check(l->kernel, bytes, &l->why))
		return false;
	l->kernel_pages = round_up(bytes, PAGE) / PAGE;
	l->boot->kernel_pa = (uint64_t)l->kernel;
	l->boot->kernel_pages = l->kernel_pages;
	return memory_note(l, (uint64_t)l->kernel, l->kernel_pages, EXO_BOOT_KEPT);
}

/* A new archive of the old one's members and the files. */
static bool archive_combine(struct loader *l)
{
	uint64_t bytes = archive_build_bytes(l->archive, l->file, l->files);
	struct exo_archive *all;

	if (bytes == 0)
		return refuse(&l->why, "\\exo\\: the files are too large together");
	all = memory_scratch(l, bytes / PAGE, "boot archive with the files of \\exo\\");
	if (!all)
		return false;
	archive_build(all, l->archive, l->file, l->files);
	l->archive = all;
	return true;
}

bool pieces_combine(struct loader *l)
{
	const struct exo_archive_entry *e;

	if ((l->files || !archive_trim(l->archive)) && !archive_combine(l))
		return false;
	l->boot->archive_pa = (uint64_t)l->archive;
	l->boot->archive_bytes = l->archive->bytes;
	e = archive_find(l->archive, ARCHIVE_SYMBOLS);
	if (e) {
		l->boot->symbols_pa = (uint64_t)archive_data(l->archive, e);
		l->boot->symbols_bytes = e->bytes;
	}
	return memory_note(l, (uint64_t)l->archive, l->archive->bytes / PAGE, EXO_BOOT_ARCHIVE);
}

static bool init_part(struct loader *l, const struct elf_part *part, const void *file)
{
	void *to = memory_keep(l, part->pages, EXO_BOOT_INIT, 0, "init");

	if (!to)
		return false;
	elf_part_copy(part, file, to);
	l->boot->init_seg[l->boot->init_segs++] = (struct exo_boot_seg){
		.va = part->va, .pa = (uint64_t)to, .pages = part->pages, .rights = part->rights,
	};
	return true;
}

bool pieces_init(struct loader *l)
{
	const struct exo_archive_entry *e = archive_find(l->archive, ARCHIVE_INIT);
	struct elf_plan plan;
	const void *file;

	if (!e)
		return refuse(&l->why, "init: missing in the boot archive");
	file = archive_data(l->archive, e);
	if (!elf_plan_make(&plan, ARCHIVE_INIT, file, e->bytes, &l->why))
		return false;
	for (uint32_t i = 0; i < plan.parts; i++)
		if (!init_part(l, &plan.part[i], file))
			return false;
	l->boot->init_entry = plan.entry;
	return true;
}
