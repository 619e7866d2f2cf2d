/* SPDX-License-Identifier: MIT */
/*
 * files.c - ls and cat.
 */
#include <base/format.h>
#include <base/string.h>
#include <exos/console.h>
#include <libfs/file.h>

#include "disk.h"
#include "listing.h"
#include "shell.h"

#define CAT_BYTES 65536u

static const char type_letter[] = {
	[FS_NONE] = '?', [FS_FILE] = '-', [FS_DIR] = 'd', [FS_LINK] = 'l', [FS_CHAR] = 'c',
	[FS_BLOCK] = 'b', [FS_FIFO] = 'p', [FS_SOCKET] = 's',
};

static void mode_text(const struct fs_attr *a, char out[11])
{
	static const char letters[] = "rwxrwxrwx";

	out[0] = a->type < sizeof(type_letter) ? type_letter[a->type] : '?';
	for (int i = 0; i < 9; i++)
		out[1 + i] = a->mode >> (8 - i) & 1 ? letters[i] : '-';
	if (a->mode & 04000)
		out[3] = a->mode & 0100 ? 's' : 'S';
	if (a->mode & 02000)
		out[6] = a->mode & 0010 ? 's' : 'S';
	if (a->mode & 01000)
		out[9] = a->mode & 0001 ? 't' : 'T';
	out[10] = '\0';
}

/* A day of the Gregorian calendar from days since 1970-01-01, by eras of 400 years. */
static void date_text(int64_t seconds, char *out, size_t bytes)
{
	int64_t day = seconds / 86400 - (seconds % 86400 < 0);
	int64_t rest = seconds - day * 86400;
	int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;

	format_buffer(out, bytes, "%04ld-%02ld-%02ld %02ld:%02ld",
		      (long)(yoe + era * 400 + (month <= 2)), (long)month,
		      (long)(doy - (153 * mp + 2) / 5 + 1), (long)(rest / 3600),
		      (long)(rest / 60 % 60));
}

static void link_print(const struct fs_node *node)
{
	char target[FS_PATH_MAX / 8];
	int64_t n = node->fs->ops->readlink(node->fs, node, target, sizeof(target));

	printf(" -> ");
	if (n < 0)
		printf("(%s)", fs_error_text((int)n));
	else
		term_safe(target, (size_t)n);
}

static void entry_long(const struct fs_node *node)
{
	struct fs_attr a;
	char mode[11], date[32];
	int error = node->fs->ops->attr(node->fs, node, &a);

	if (error < 0) {
		printf("%s: ", fs_error_text(error));
		return;
	}
	mode_text(&a, mode);
	date_text(a.modified.seconds, date, sizeof(date));
	printf("%s %3u %5u %5u ", mode, a.links, a.uid, a.gid);
	if (a.type == FS_CHAR || a.type == FS_BLOCK)
		printf("%5u,%6u %s ", a.major, a.minor, date);
	else
		printf("%12lu %s ", (unsigned long)a.size, date);
}

static void entry_print(struct fs_dir *dir, const struct fs_dir_entry *e, bool details)
{
	struct fs_node node;
	int error = 0;

	if (details && (error = fs_dir_lookup(dir, e->name, &node)) == 0)
		entry_long(&node);
	else if (details)
		printf("(%s) ", fs_error_text(error));
	term_safe(e->name, e->name_bytes);
	if (!details && e->type == FS_DIR)
		putchar('/');
	if (details && error == 0 && node.type == FS_LINK)
		link_print(&node);
	putchar('\n');
}

static int ls_dir(const char *path, const struct fs_node *node, bool details)
{
	struct listing list;
	struct fs_dir dir;
	int error = fs_dir_open_node(node, &dir);

	if (error < 0)
		return disk_error("ls", path, error);
	error = listing_read(&list, &dir);
	for (size_t i = 0; i < list.count && !term_interrupted(); i++)
		entry_print(&dir, list.entry[i], details);
	listing_free(&list);
	fs_dir_close(&dir);
	return error < 0 ? disk_error("ls", path, error) : 0;
}

static int ls_path(const char *path, bool details)
{
	struct fs_node node;
	int error = fs_path_find(&disk_mounts, path, !details, &node);

	if (error < 0)
		return disk_error("ls", path, error);
	if (node.type == FS_DIR)
		return ls_dir(path, &node, details);
	if (details)
		entry_long(&node);
	term_safe(path, strlen(path));
	if (details && node.type == FS_LINK)
		link_print(&node);
	putchar('\n');
	return 0;
}

int files_ls(int argc, char **argv)
{
	int first = 1, failed = 0;
	bool details = false;

	if (argc > 1 && strcmp(argv[1], "-l") == 0) {
		details = true;
		first = 2;
	} else if (argc > 1 && argv[1][0] == '-' && argv[1][1] != '\0') {
		return commands_usage(argv[0]);
	}
	if (first == argc)
		return ls_path("/", details);
	for (int i = first; i < argc; i++) {
		if (argc - first > 1) {
			term_safe(argv[i], strlen(argv[i]));
			printf(":\n");
		}
		failed |= ls_path(argv[i], details);
	}
	return failed;
}

static int cat_file(const char *path)
{
	static char buffer[CAT_BYTES];
	struct fs_file file;
	int64_t n = fs_file_open(&disk_mounts, path, &file);

	if (n < 0)
		return disk_error("cat", path, n);
	while (!term_interrupted() && (n = fs_file_read(&file, buffer, sizeof(buffer))) > 0)
		exos_console_write(buffer, (size_t)n);
	fs_file_close(&file);
	return n < 0 ? disk_error("cat", path, n) : 0;
}

int files_cat(int argc, char **argv)
{
	int failed = 0;

	if (argc < 2)
		return commands_usage(argv[0]);
	for (int i = 1; i < argc; i++)
		failed |= cat_file(argv[i]);
	return failed;
}
