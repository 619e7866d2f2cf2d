/* SPDX-License-Identifier: MIT */
/*
 * path.c - walking a path, name by name.
 *
 * Invariant: canon is the canonical path of where the walk stands, without a last '/'; node is the
 * directory (at the end: whatever) there.  A place that no mount serves, on the way to a mount
 * further down, is void: it has no node.
 */
#include <base/string.h>
#include <libfs/path.h>

struct walk {
	struct fs_mount_table *table;
	struct fs_node node;
	bool     is_void;
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

static void walk_to_mount(struct walk *w, struct fs_mount *mount)
{
	w->is_void = mount == NULL;
	if (mount)
		w->node = mount->fs.root;
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
		struct fs_node dir = w->node;
		int err;

		at = slash ? slash : end;
		err = dir.type == FS_DIR ? dir.fs->ops->lookup(dir.fs, &dir, name,
							       (size_t)(at - name), &w->node)
					 : -FS_E_NOENT;
		if (err == -FS_E_NOENT) {
			w->is_void = true;
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
	bool leaves = w->is_void || fs_mount_at(w->table, w->table->canon, w->canon_bytes);
	struct fs_node dir = w->node;
	int err;

	if (w->canon_bytes == 0)
		return 0;
	canon_pop(w);
	if (leaves)
		return walk_again(w);
	err = dir.fs->ops->lookup(dir.fs, &dir, "..", 2, &w->node);
	if (err < 0)
		return err;
	if (w->node.type != FS_DIR)
		return fs_refuse(dir.fs, -FS_E_CORRUPT, "inode %lu: its .. is not a directory",
				 (unsigned long)dir.ino);
	return 0;
}

/* Put the target of the link in w->node before what is still to be walked. */
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

/* Down to a name: sets *link instead of moving when it is a symbolic link to follow. */
static int walk_down(struct walk *w, const struct name *name, bool follow, struct fs_node *link)
{
	struct fs_node dir = w->node, next;
	struct fs_mount *mount;
	int err = canon_push(w, name->text, name->bytes);

	link->type = FS_NONE;
	if (err < 0)
		return err;
	mount = fs_mount_at(w->table, w->table->canon, w->canon_bytes);
	if (mount) {
		walk_to_mount(w, mount);
		return 0;
	}
	err = w->is_void ? -FS_E_NOENT
			 : dir.fs->ops->lookup(dir.fs, &dir, name->text, name->bytes, &next);
	/* A mount point's way down exists even where the file system above lacks it. */
	if ((err == -FS_E_NOENT || (err == 0 && next.type != FS_DIR)) && walk_above_mount(w)) {
		w->is_void = true;
		return 0;
	}
	if (err < 0)
		return err;
	if (next.type == FS_LINK && (follow || !name->last || name->slash)) {
		canon_pop(w);
		*link = next;
		return 0;
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
	struct fs_node link;
	int err;

	if (!w->is_void && w->node.type != FS_DIR)
		return -FS_E_NOTDIR;
	if (name->bytes == 1 && name->text[0] == '.')
		return 0;
	if (name->bytes == 2 && name->text[0] == '.' && name->text[1] == '.')
		return walk_up(w);
	err = walk_down(w, name, follow, &link);
	if (err < 0 || link.type == FS_NONE)
		return err;
	return walk_link(w, &link);
}

int fs_path_find(struct fs_mount_table *table, const char *path, bool follow,
		 struct fs_node *out)
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
	if (w.is_void)
		return -FS_E_NOENT;
	if (name.slash && w.node.type != FS_DIR)
		return -FS_E_NOTDIR;
	*out = w.node;
	return 0;
}
