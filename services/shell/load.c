/* SPDX-License-Identifier: MIT */
/*
 * load.c - reading program files.
 */
#include "load.h"

#include <base/string.h>
#include <exos/archive.h>
#include <exos/heap.h>
#include <libfs/file.h>

#include "disk.h"
#include "shell.h"

#define PROGRAM_MAX (64u << 20)         /* bytes of a program file */

static const char *load_archive(const char *name, struct load *out)
{
	static struct exos_archive archive;
	const char *why = archive.count > 0 ? NULL : exos_archive_open(&archive);

	return why != NULL ? why : exos_archive_find(&archive, name, &out->file, &out->bytes);
}

static const char *load_read(struct fs_file *file, struct load *out)
{
	int64_t n = 0;

	out->bytes = file->node.size;
	out->buffer = malloc(out->bytes > 0 ? out->bytes : 1);
	if (out->buffer == NULL)
		return "there is not enough memory for its file";
	for (size_t at = 0; at < out->bytes; at += (size_t)n) {
		n = fs_file_read(file, (char *)out->buffer + at, out->bytes - at);
		if (n <= 0 || term_interrupted())
			return n < 0 ? fs_error_text((int)n) : "reading it was cut short";
	}
	out->file = out->buffer;
	return NULL;
}

static const char *load_disk(const char *path, struct load *out)
{
	struct fs_file file;
	int error = fs_file_open(&disk_mounts, path, &file);
	const char *why;

	if (error < 0)
		return disk_mounts.first == NULL ? "no disk is mounted" : fs_error_text(error);
	why = file.node.size > PROGRAM_MAX ? "its file is larger than 64 MiB"
					   : load_read(&file, out);
	fs_file_close(&file);
	if (why != NULL)
		load_free(out);
	return why;
}

/* A bare name is of the archive, but somebody may have meant a file. */
static bool load_is_file(const char *name)
{
	struct fs_file file;

	if (fs_file_open(&disk_mounts, name, &file) < 0)
		return false;
	fs_file_close(&file);
	return true;
}

const char *load_program(const char *name, struct load *out)
{
	const char *why;

	memset(out, 0, sizeof(*out));
	if (strchr(name, '/') != NULL)
		return load_disk(name, out);
	why = load_archive(name, out);
	if (why != NULL && load_is_file(name))
		return "the boot archive has no such program; for the file of this name say ./NAME";
	return why;
}

void load_free(struct load *load)
{
	free(load->buffer);
	memset(load, 0, sizeof(*load));
}
