/* SPDX-License-Identifier: MIT */
/*
 * path.c - walking a path, name by name.
 *
 * Invariant: canon is the canonical path of where the walk stands, without a last '/'; node is the
 * directory (at the end: whatever) there, in a cache or a mount.  A place that no mount serves, on
 * the way to a mount further down, is void: it has no node.
 */
#include <base/string.h>

#include "lookup.h"
#include "path_internal.h"

struct walk {
	struct fs_mount_table *table;
	const struct fs_node *node;     /* NULL: void */
	uint32_t links;         /* symbolic links followed */
	size_t   canon_bytes;
	char    *at;            /* in table->rest: what is still to be walked */
};

struct name {
	const char *text;       /* in table->rest */
	size_t bytes;
	bool last;              /* no name follows */
	bool slash;             /* but a '/' does */
};

static void walk_to_mount(struct walk *w, const struct fs_mount *mount)
{
	w->node = mount ? &mount->fs.root : NULL;
}

static void walk_to_root(struct walk *w)
{
	w->canon_bytes = 0;
	w->table->canon[0] = 0;
	walk_to_mount(w, fs_mount_at(w->table, "", 0));
}

/* Is something mounted below where the walk stands? */
static bool walk_above_mount(struct walk *w)
{
	for (struct fs_mount *m = w->table->first; m; m = m->next)
		if (m->path_bytes > w->canon_bytes && m->path[w->canon_bytes] == '/' &&
		    memcmp(m->path, w->table->canon, w->canon_bytes) == 0)
			return true;
	return false;
}

static int canon_push(struct walk *w, const char *name, size_t bytes)
{
	char *canon = w->table->canon;

	if (bytes > FS_NAME_MAX || bytes + 1 >= FS_PATH_MAX - w->canon_bytes)
		return -FS_E_NAMETOOLONG;
	canon[w->canon_bytes] = '/';
	memcpy(canon + w->canon_bytes + 1, name, bytes);
	w->canon_bytes += bytes + 1;
	canon[w->canon_bytes] = 0;
	return 0;
}

static void canon_pop(struct walk *w)
{
	char *canon = w->table->canon;

	while (w->canon_bytes > 0 && canon[--w->canon_bytes] != '/')
		;
	canon[w->canon_bytes] = 0;
}

/* Stand at canon again, coming from the mount that serves it: it holds no links. */
static int walk_again(struct walk *w)
{
	struct fs_mount *mount = fs_mount_find(w->table, w->table->canon, w->canon_bytes);
	const char *at, *end = w->table->canon + w->canon_bytes;

	walk_to_mount(w, mount);
	if (!mount)
		return 0;
	for (at = w->table->canon + mount->path_bytes; at < end;) {
		const char *name = at + 1;
		const char *slash = memchr(name, '/', (size_t)(end - name));
		int err;

		at = slash ? slash : end;
		err = w->node->type == FS_DIR
			      ? lookup_name(w->node, name, (size_t)(at - name), &w->node)
			      : -FS_E_NOENT;
		if (err == -FS_E_NOENT) {
			w->node = NULL;
			return 0;
		}
		if (err < 0)
			return err;
	}
	return 0;
}

/* "..": out of a mount it leads through the table, else through the directory itself. */
static int walk_up(struct walk *w)
{
	const struct fs_node *dir = w->node;
	bool leaves = !dir || fs_mount_at(w->table, w->table->canon, w->canon_bytes);
	int err;

	if (w->canon_bytes == 0)
		return 0;
	canon_pop(w);
	if (leaves)
		return walk_again(w);
	err = lookup_name(dir, "..", 2, &w->node);
	if (err < 0)
		return err;
	if (w->node->type != FS_DIR)
		return fs_refuse(dir->fs, -FS_E_CORRUPT, "inode %lu: its .. is not a directory",
				 (unsigned long)dir->ino);
	return 0;
}

/* Put the target of a link before what is still to be walked. */
static int walk_link(struct walk *w, const struct fs_node *link)
{
	char *rest = w->table->rest;
	size_t left = strlen(w->at), room = FS_PATH_MAX - 1 - left;
	int64_t bytes;

	if (++w->links > FS_LINK_MAX)
		return -FS_E_LOOP;
	memmove(rest + room, w->at, left + 1);
	bytes = link->fs->ops->readlink(link->fs, link, rest, room);
	if (bytes < 0)
		return bytes == -EXO_E_ROOM ? -FS_E_NAMETOOLONG : (int)bytes;
	memmove(rest + bytes, rest + room, left + 1);
	w->at = rest;
	if (rest[0] == '/')
		walk_to_root(w);
	return 0;
}

/* Down to a name; a symbolic link that is to be followed goes before the rest of the path. */
static int walk_down(struct walk *w, const struct name *name, bool follow)
{
	const struct fs_node *next = NULL;
	struct fs_mount *mount;
	int err = canon_push(w, name->text, name->bytes);

	if (err < 0)
		return err;
	mount = fs_mount_at(w->table, w->table->canon, w->canon_bytes);
	if (mount) {
		walk_to_mount(w, mount);
		return 0;
	}
	err = w->node ? lookup_name(w->node, name->text, name->bytes, &next) : -FS_E_NOENT;
	/* A mount point's way down exists even where the file system above lacks it. */
	if ((err == -FS_E_NOENT || (err == 0 && next->type != FS_DIR)) && walk_above_mount(w)) {
		w->node = NULL;
		return 0;
	}
	if (err < 0)
		return err;
	if (next->type == FS_LINK && (follow || !name->last || name->slash)) {
		canon_pop(w);
		return walk_link(w, next);
	}
	w->node = next;
	return 0;
}

/* Take the next name off the path; false at its end. */
static bool walk_name(struct walk *w, struct name *name)
{
	const char *after;

	while (*w->at == '/')
		w->at++;
	if (!*w->at)
		return false;
	name->text = w->at;
	while (*w->at && *w->at != '/')
		w->at++;
	name->bytes = (size_t)(w->at - name->text);
	name->slash = *w->at == '/';
	for (after = w->at; *after == '/';)
		after++;
	name->last = !*after;
	return true;
}

static int walk_step(struct walk *w, const struct name *name, bool follow)
{
	if (w->node && w->node->type != FS_DIR)
		return -FS_E_NOTDIR;
	if (name->bytes == 1 && name->text[0] == '.')
		return 0;
	if (name->bytes == 2 && name->text[0] == '.' && name->text[1] == '.')
		return walk_up(w);
	return walk_down(w, name, follow);
}

int path_walk(struct fs_mount_table *table, const char *path, bool follow,
	      const struct fs_node **out)
{
	struct walk w = { .table = table, .at = table->rest };
	size_t bytes = strnlen(path, FS_PATH_MAX);
	struct name name = { .slash = false };

	walk_to_root(&w);
	if (bytes == 0)
		return -EXO_E_ARG;
	if (bytes >= FS_PATH_MAX)
		return -FS_E_NAMETOOLONG;
	memcpy(table->rest, path, bytes + 1);
	while (walk_name(&w, &name)) {
		int err = walk_step(&w, &name, follow);

		if (err < 0)
			return err;
	}
	if (!w.node)
		return -FS_E_NOENT;
	if (name.slash && w.node->type != FS_DIR)
		return -FS_E_NOTDIR;
	*out = w.node;
	return 0;
}

int fs_path_find(struct fs_mount_table *table, const char *path, bool follow,
		 struct fs_node *out)
{
	const struct fs_node *node;
	int err = path_walk(table, path, follow, &node);

	if (err == 0)
		*out = *node;
	return err;
}
