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

/* A word at any address, of any effective type. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word;
/* Kept out of the way of the names that most paths are made of. */
#define NOT_HOT __attribute__((noinline))
#define ONES 0x0101010101010101ul
_Static_assert(FS_PATH_SLACK >= sizeof(word), "names are read and copied by words");

struct walk {
	struct fs_mount_table *table;
	const struct fs_node *node;     /* NULL: void */
	uint32_t links;         /* symbolic links followed */
	size_t   canon_bytes;
	const char *at;         /* in table->rest: what is still to be walked */
};

struct name {
	const char *text;       /* in table->rest */
	size_t bytes;
	bool last;              /* no name follows */
	bool slash;             /* but a '/' does */
	struct fs_name_key key;
};

/* To the root of a mount, or to where there is none: no node of a cache is held now. */
static void walk_to_mount(struct walk *w, struct fs_mount *mount)
{
	w->node = mount ? &mount->fs.root : NULL;
	if (mount)
		lookup_refresh(&mount->fs);
}

/* The mount exactly where the walk stands, below the root, or NULL. */
static inline struct fs_mount *walk_mount(const struct walk *w)
{
	for (struct fs_mount *m = w->table->below ? w->table->first : NULL; m; m = m->next)
		if (m->path_bytes == w->canon_bytes &&
		    memcmp(m->path, w->table->canon, w->canon_bytes) == 0)
			return m;
	return NULL;
}

static void walk_to_root(struct walk *w)
{
	w->canon_bytes = 0;
	w->table->canon[0] = 0;
	walk_to_mount(w, w->table->root);
}

/* Is something mounted below where the walk stands? */
static bool walk_above_mount(struct walk *w)
{
	for (struct fs_mount *m = w->table->below ? w->table->first : NULL; m; m = m->next)
		if (m->path_bytes > w->canon_bytes && m->path[w->canon_bytes] == '/' &&
		    memcmp(m->path, w->table->canon, w->canon_bytes) == 0)
			return true;
	return false;
}

static int canon_push(struct walk *w, const char *name, size_t bytes)
{
	char *end = w->table->canon + w->canon_bytes;

	if (bytes > FS_NAME_MAX || bytes + 1 >= FS_PATH_MAX - w->canon_bytes)
		return -FS_E_NAMETOOLONG;
	*end++ = '/';
	for (size_t i = 0; i < bytes; i += sizeof(word))
		*(word *)(end + i) = *(const word *)(name + i);
	end[bytes] = 0;
	w->canon_bytes += bytes + 1;
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
static NOT_HOT int walk_up(struct walk *w)
{
	const struct fs_node *dir = w->node;
	bool leaves = !dir || walk_mount(w);
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
static NOT_HOT int walk_link(struct walk *w, const struct fs_node *link)
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
static int walk_down(struct walk *w, struct name *name, bool follow)
{
	const struct fs_node *next = NULL;
	struct fs_mount *mount;
	int err = canon_push(w, name->text, name->bytes);

	if (err < 0)
		return err;
	mount = walk_mount(w);
	if (mount) {
		walk_to_mount(w, mount);
		return 0;
	}
	err = w->node ? lookup_key(w->node, &name->key, name->text, name->bytes, &next)
		      : -FS_E_NOENT;
	if (err == 0 && next->type == FS_DIR) {
		w->node = next;
		return 0;
	}
	/* A mount point's way down exists even where the file system above lacks it. */
	if ((err == 0 || err == -FS_E_NOENT) && walk_above_mount(w)) {
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

/* The lowest bit set is in the first byte that is 0; other bits say nothing. */
static inline uint64_t zero_bytes(uint64_t w)
{
	return (w - ONES) & ~w & ONES << 7;
}

/* Length of the name at `at`, to the '/' or NUL behind it; it is taken apart on the way. */
static inline size_t name_scan(const char *at, struct fs_name_key *key)
{
	size_t bytes = 0;

	fs_name_key_start(key);
	for (;; bytes += sizeof(word)) {
		uint64_t w = *(const word *)(at + bytes);
		uint64_t ends = zero_bytes(w) | zero_bytes(w ^ ONES * '/');
		uint32_t bits;

		if (ends) {
			bits = (uint32_t)__builtin_ctzl(ends) & ~7u;
			if (bits)
				fs_name_key_word(key, w & ~(~0ul << bits));
			return bytes + bits / 8;
		}
		fs_name_key_word(key, w);
	}
}

/* Take the next name off the path; false at its end. */
static bool walk_name(struct walk *w, struct name *name)
{
	const char *at = w->at;

	while (*at == '/')
		at++;
	if (!*at)
		return false;
	name->text = at;
	name->bytes = name_scan(at, &name->key);
	at += name->bytes;
	w->at = at;
	name->slash = *at == '/';
	while (*at == '/')
		at++;
	name->last = !*at;
	return true;
}

static int walk_step(struct walk *w, struct name *name, bool follow)
{
	if (w->node && w->node->type != FS_DIR)
		return -FS_E_NOTDIR;
	if (name->bytes == 1 && name->text[0] == '.')
		return 0;
	if (name->bytes == 2 && name->text[0] == '.' && name->text[1] == '.')
		return walk_up(w);
	return walk_down(w, name, follow);
}

/* The bytes at `at` as a word, to the end of their page: what is not read is not 0. */
__attribute__((no_sanitize("address"))) static inline uint64_t page_word(const char *at, size_t *n)
{
	*n = (uintptr_t)at % FS_PAGE_BYTES > FS_PAGE_BYTES - sizeof(word) ? 1 : sizeof(word);
	return *n == 1 ? (uint8_t)*at | ~0xfful : *(const word *)at;
}

/*
 * Copy a path.  It is read by words that lie in one page, so that no page is touched which the path
 * does not reach; bytes behind its NUL are read and mean nothing, whatever tools think of that.
 */
static int path_copy(char *rest, const char *path)
{
	size_t step;

	for (size_t bytes = 0; bytes < FS_PATH_MAX; bytes += step) {
		uint64_t w = page_word(path + bytes, &step), end = zero_bytes(w);

		*(word *)(rest + bytes) = w;
		if (!end)
			continue;
		bytes += (uint32_t)__builtin_ctzl(end) / 8;
		if (bytes == 0)
			return -EXO_E_ARG;
		return bytes < FS_PATH_MAX ? 0 : -FS_E_NAMETOOLONG;
	}
	return -FS_E_NAMETOOLONG;
}

int path_walk(struct fs_mount_table *table, const char *path, bool follow,
	      const struct fs_node **out)
{
	struct walk w = { .table = table, .at = table->rest };
	struct name name;
	int err = path_copy(table->rest, path);

	walk_to_root(&w);
	if (err < 0)
		return err;
	name.slash = false;
	while (walk_name(&w, &name)) {
		err = walk_step(&w, &name, follow);
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
