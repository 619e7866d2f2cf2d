/* SPDX-License-Identifier: MIT */
/*
 * program.c - starting programs from the boot archive, and saying how they ended.
 */
#include <exos/archive.h>
#include <exos/console.h>
#include <exos/error.h>

#include "init.h"

int program_start(const char *name, struct exos_spawn *request, struct exos_child *child)
{
	static struct exos_archive archive;
	const void *file;
	const char *why;
	int error;

	why = archive.count > 0 ? NULL : exos_archive_open(&archive);
	if (why == NULL)
		why = exos_archive_find(&archive, name, &file, &request->file_bytes);
	if (why != NULL) {
		printf("init: cannot start %s: %s\n", name, why);
		return -EXO_E_ABSENT;
	}
	request->file = file;
	error = exos_spawn(request, child);
	if (error < 0)
		printf("init: cannot start %s: %s (%s)\n", name, child->why, exo_error_text(error));
	return error;
}

void program_tell(const char *name, const struct exo_env_page *page)
{
	const struct exo_context *at = &page->area[EXO_AREA_DOUBLE];

	if (page->stop_reason == EXO_STOP_EXIT) {
		printf("init: %s ended with code %ld\n", name, (long)page->exit_code);
		return;
	}
	printf("init: %s: %s\n", name, exos_stop_text(page->stop_reason));
	if (page->stop_reason == EXO_STOP_FAULT)
		printf("init:   fault %lu, error %lx, address %lx, at %lx\n", at->vector, at->error,
		       at->cr2, at->rip);
}
