/* SPDX-License-Identifier: MIT */
/*
 * hash.c - XXH64 of files, one or a whole tree, in the form that xxhsum -H64 prints.
 */
#define XXH_INLINE_ALL
#define XXH_VECTOR 0            /* programs use general registers only */
#include <xxhash.h>

#include <base/format.h>
#include <base/string.h>
#include <exos/console.h>
#include <exos/heap.h>
#include <libfs/dir.h>
#include <libfs/file.h>

#include "disk.h"
#include "shell.h"

#define READ_BYTES 65536u
#define TREE_DEPTH 256u         /* directories one inside another */

/* Hash a file by its node and print it under this path. */
static int hash_node(const struct fs_node *node, const char *path)
{
	static char buffer[READ_BYTES];
	struct fs_file file;
	XXH64_state_t state;
	int64_t n = fs_file_open_node(node, &file);

	if (n < 0)
		return disk_error("hash", path, n);
	XXH64_reset(&state, 0);
	while (!term_interrupted() && (n = fs_file_read(&file, buffer, sizeof(buffer))) > 0)
		XXH64_update(&state, buffer, (size_t)n);
	fs_file_close(&file);
	if (n != 0)
		return n < 0 ? disk_error("hash", path, n) : 1;
	printf("%016lx  ", (unsigned long)XXH64_digest(&state));
	term_safe(path, strlen(path));
	putchar('\n');
	return 0;
}

/* The path of a walk's entry: the start as it was given, then what lies below it. */
static void walk_path(const char *start, const struct fs_walk *walk, char *out, size_t bytes)
{
	size_t n = strlen(start);

	while (n > 0 && start[n - 1] == '/')
		n--;
	format_buffer(out, bytes, "%.*s/%s", (int)n, start, walk->path);
}

static int walk_step(const char *start, const struct fs_walk *walk, int got)
{
	static char path[2 * FS_PATH_MAX];

	walk_path(start, walk, path, sizeof(path));
	if (got < 0)
		return disk_error("hash", path, got);
	return walk->node.type == FS_FILE ? hash_node(&walk->node, path) : 0;
}

/* Every file below a directory; links and special files are passed over. */
static int hash_tree(const struct fs_node *dir, const char *start)
{
	static struct fs_walk walk;
	struct fs_walk_level *level = malloc(TREE_DEPTH * sizeof(*level));
	int got, failed = 0;

	if (level == NULL)
		return disk_error("hash", start, -FS_E_NOMEM);
	got = fs_walk_start(&walk, dir, level, TREE_DEPTH);
	if (got < 0)
		failed = disk_error("hash", start, got);
	else
		while (!term_interrupted() && (got = fs_walk_next(&walk)) != 0)
			failed |= walk_step(start, &walk, got);
	free(level);
	return failed;
}

static int hash_path(const char *path, bool tree)
{
	struct fs_node node;
	int error = fs_path_find(&disk_mounts, path, true, &node);

	if (error < 0)
		return disk_error("hash", path, error);
	if (node.type != FS_DIR)
		return hash_node(&node, path);
	if (tree)
		return hash_tree(&node, path);
	printf("hash: ");
	term_safe(path, strlen(path));
	printf(": is a directory; hash -r takes all files below it\n");
	return 1;
}

int hash_run(int argc, char **argv)
{
	bool tree = argc > 1 && strcmp(argv[1], "-r") == 0;
	int failed = 0, first = tree ? 2 : 1;

	if (argc == first || (!tree && argv[1][0] == '-'))
		return commands_usage(argv[0]);
	for (int i = first; i < argc && !term_interrupted(); i++)
		failed |= hash_path(argv[i], tree);
	return failed;
}
