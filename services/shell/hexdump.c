/* SPDX-License-Identifier: MIT */
/*
 * hexdump.c - a file's bytes in hexadecimal and as text, sixteen a line.
 *
 * Lines equal to the one before are shown as one *, as hexdump -C does.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/console.h>
#include <libfs/file.h>

#include "disk.h"
#include "shell.h"

#define LINE 16u

struct dump {
	const char *path;
	uint64_t offset, left;
	uint8_t  before[LINE];  /* the last line shown */
	bool     any, starred;
};

static void line_print(uint64_t offset, const uint8_t *bytes, size_t count)
{
	char text[96];
	int at = format_buffer(text, sizeof(text), "%08lx ", (unsigned long)offset);

	for (size_t i = 0; i < LINE; i++) {
		at += format_buffer(text + at, sizeof(text) - (size_t)at, i == 8 ? "  " : " ");
		at += i < count ? format_buffer(text + at, sizeof(text) - (size_t)at, "%02x",
						bytes[i])
				: format_buffer(text + at, sizeof(text) - (size_t)at, "  ");
	}
	at += format_buffer(text + at, sizeof(text) - (size_t)at, "  |");
	for (size_t i = 0; i < count; i++)
		text[at++] = bytes[i] >= ' ' && bytes[i] < 0x7f ? (char)bytes[i] : '.';
	text[at++] = '|';
	text[at++] = '\n';
	exos_console_write(text, (size_t)at);
}

static void dump_line(struct dump *d, const uint8_t *bytes, size_t count)
{
	bool same = d->any && count == LINE && memcmp(bytes, d->before, LINE) == 0;

	if (!same)
		line_print(d->offset, bytes, count);
	else if (!d->starred)
		printf("*\n");
	d->starred = same;
	d->any = true;
	memcpy(d->before, bytes, count);
	d->offset += count;
	d->left -= count;
}

static int64_t dump_file(struct dump *d, struct fs_file *file)
{
	uint8_t bytes[512];
	int64_t n = 0;

	while (d->left > 0 && !term_interrupted()) {
		n = fs_file_read_at(file, d->offset, bytes, min_u64(sizeof(bytes), d->left));
		if (n <= 0)
			break;
		for (size_t i = 0; i < (size_t)n; i += LINE)
			dump_line(d, bytes + i, min_u64(LINE, (size_t)n - i));
	}
	printf("%08lx\n", (unsigned long)d->offset);
	return n;
}

/* Options -s START and -n COUNT, then one file. */
static bool dump_options(int argc, char **argv, struct dump *d)
{
	int i = 1;

	*d = (struct dump){ .left = UINT64_MAX };
	while (i + 1 < argc && argv[i][0] == '-') {
		uint64_t *value = strcmp(argv[i], "-s") == 0 ? &d->offset :
				  strcmp(argv[i], "-n") == 0 ? &d->left : NULL;
		const char *end;

		if (value == NULL || parse_u64(argv[i + 1], &end, value) < 0 || *end != '\0')
			return false;
		i += 2;
	}
	if (i + 1 != argc)
		return false;
	d->path = argv[i];
	return true;
}

int hexdump_run(int argc, char **argv)
{
	struct fs_file file;
	struct dump d;
	int64_t error;

	if (!dump_options(argc, argv, &d))
		return commands_usage(argv[0]);
	error = fs_file_open(&disk_mounts, d.path, &file);
	if (error < 0)
		return disk_error("hexdump", d.path, error);
	error = dump_file(&d, &file);
	fs_file_close(&file);
	return error < 0 ? disk_error("hexdump", d.path, error) : 0;
}
