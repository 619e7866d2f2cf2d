/* SPDX-License-Identifier: MIT */
/*
 * load.h - a program's file in memory, from the boot archive or from a disk.
 */
#ifndef SHELL_LOAD_H
#define SHELL_LOAD_H

#include <stddef.h>

struct load {
	const void *file;
	size_t bytes;
	void  *buffer;          /* to free; NULL: it lies in the archive */
};

/*
 * Get a program: a name with a / in it is a path, any other a name of the boot archive.  NULL, or
 * why not, as a phrase.
 */
const char *load_program(const char *name, struct load *out);
void load_free(struct load *load);

#endif
