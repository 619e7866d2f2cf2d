/* SPDX-License-Identifier: MIT */
/*
 * boot_archive_test.c - boot archives: a sound one, the same with each field changed, trimming and
 * rebuilding.
 *
 * Each case names a piece of the refusal it expects.
 */
// sources: uefi/archive.c exo/base/hash.c exo/base/format.c exo/base/string.c
// includes: uefi
// flags: -fno-builtin -Dmemcpy=t_memcpy -Dmemmove=t_memmove -Dmemset=t_memset -Dmemcmp=t_memcmp
// flags: -Dmemchr=t_memchr -Dstrlen=t_strlen -Dstrnlen=t_strnlen -Dstrcmp=t_strcmp
// flags: -Dstrncmp=t_strncmp -Dstrchr=t_strchr -Dstrrchr=t_strrchr
#include "archive.h"
#include "test.h"

#include <base/hash.h>
#include <base/string.h>
#include <base/util.h>

#define PAGE 4096u
#define ROOM (16 * PAGE)

static char store[ROOM] __attribute__((aligned(4096)));
static char built[ROOM] __attribute__((aligned(4096)));
static struct why why;

static struct exo_archive *const arc = (struct exo_archive *)store;
static struct exo_archive_entry *const ent = (struct exo_archive_entry *)(arc + 1);

static void seal(void)
{
	arc->hash = hash_xxh64(ent, arc->count * sizeof(*ent));
}

static void member(const char *name, unsigned page, unsigned bytes, char fill)
{
	struct exo_archive_entry *e = &ent[arc->count++];

	memset(e, 0, sizeof(*e));
	string_copy(e->name, name, sizeof(e->name));
	e->offset = page * PAGE;
	e->bytes = bytes;
	memset(store + e->offset, fill, bytes);
	e->hash = hash_xxh64(store + e->offset, bytes);
	arc->bytes = round_up(e->offset + bytes, PAGE);
}

/* init, an empty file, the shell, and the kernel at the end */
static void sound(void)
{
	memset(store, 0, sizeof(store));
	arc->magic = EXO_ARCHIVE_MAGIC;
	arc->bytes = PAGE;
	member("init", 1, 5000, 'i');
	member("empty", 3, 0, 0);
	member("shell", 3, 4096, 's');
	member(ARCHIVE_KERNEL, 4, 9000, 'k');
	seal();
}

static void refused(const char *words)
{
	why.text[0] = 0;
	if (archive_check(arc, ROOM, &why))
		test_fail("accepted, expected \"%s\"", words);
	else if (!strstr(why.text, words))
		test_fail("refused with \"%s\", expected \"%s\"", why.text, words);
}

TEST(sound_archive_is_accepted)
{
	sound();
	REQUIRE(archive_check(arc, ROOM, &why));
	CHECK(archive_find(arc, "shell") == &ent[2]);
	CHECK(!archive_find(arc, "shel"));
	CHECK_EQ(*(char *)archive_data(arc, archive_find(arc, "shell")), 's');
}

TEST(damaged_headers_are_refused)
{
	sound(); arc->magic++; refused("wrong magic");
	sound(); arc->bytes = ROOM + PAGE; refused("cut short");
	sound(); arc->bytes -= 1; refused("cut short");
	sound(); arc->bytes = 0; refused("cut short");
	sound(); arc->count = UINT32_MAX; refused("do not fit");
	sound(); arc->count--; refused("table of members");
	sound(); ent[0].offset ^= PAGE; refused("table of members");
	sound();
	CHECK(!archive_check(arc, 16, &why));
}

TEST(damaged_members_are_refused_by_name)
{
	sound(); store[PAGE + 4999]++; refused("init: its checksum");
	sound(); store[4 * PAGE]++; refused("exo.kernel: its checksum");
	sound(); ent[2].hash++; seal(); refused("shell: its checksum");
	sound(); ent[2].offset++; seal(); refused("shell: lies outside");
	sound(); ent[2].offset = 0; seal(); refused("shell: lies outside");
	sound(); ent[2].offset = ROOM; seal(); refused("shell: lies outside");
	sound(); ent[2].bytes = UINT64_MAX; seal(); refused("shell: lies outside");
	sound(); ent[3].offset = 3 * PAGE;
	ent[3].hash = hash_xxh64(store + 3 * PAGE, 9000); seal(); refused("overlaps shell");
}

TEST(malformed_names_are_refused)
{
	sound(); ent[1].name[0] = 0; seal(); refused("malformed name");
	sound(); memset(ent[1].name, 'x', EXO_ARCHIVE_NAME); seal(); refused("malformed name");
	sound(); ent[1].name[20] = 'x'; seal(); refused("malformed name");
	sound(); ent[1].name[1] = '\n'; seal(); refused("malformed name");
	sound(); string_copy(ent[1].name, "init", 8); memset(ent[1].name + 5, 0, 8); seal();
	refused("init: twice");
}

TEST(trim_takes_the_kernel_off_the_end)
{
	sound();
	REQUIRE(archive_trim(arc));
	CHECK_EQ(arc->count, 3);
	CHECK_EQ(arc->bytes, 4 * PAGE);
	CHECK(!archive_find(arc, ARCHIVE_KERNEL));
	CHECK(archive_check(arc, 4 * PAGE, &why));
	CHECK(archive_trim(arc));       /* nothing left to take */
}

TEST(trim_refuses_a_kernel_in_the_middle)
{
	sound();
	member("last", 8, 10, 'l');
	seal();
	REQUIRE(archive_check(arc, ROOM, &why));
	CHECK(!archive_trim(arc));
	CHECK(archive_check(arc, ROOM, &why));
	CHECK(archive_find(arc, ARCHIVE_KERNEL) != NULL);
}

static const struct archive_file files[] = {
	{ "shell", "new shell", 9 },
	{ "app", "program", 7 },
	{ ARCHIVE_KERNEL, "kernel", 6 },
};

TEST(build_replaces_and_adds)
{
	struct exo_archive *b = (struct exo_archive *)built;
	uint64_t bytes;

	sound();
	bytes = archive_build_bytes(arc, files, ARRAY_LEN(files));
	CHECK_EQ(bytes, 5 * PAGE);      /* table, init (2), shell, app */
	memset(built, 0xee, sizeof(built));
	archive_build(b, arc, files, ARRAY_LEN(files));
	CHECK_EQ(b->bytes, bytes);
	REQUIRE(archive_check(b, bytes, &why));
	CHECK_EQ(b->count, 4);
	CHECK_EQ(archive_find(b, "shell")->bytes, 9);
	CHECK(memcmp(archive_data(b, archive_find(b, "app")), "program", 7) == 0);
	CHECK_EQ(archive_find(b, "init")->bytes, 5000);
	CHECK(!archive_find(b, ARCHIVE_KERNEL));
	CHECK_EQ((unsigned char)built[bytes], 0xee);    /* nothing written behind it */
}

TEST(build_of_sizes_that_overflow_is_refused)
{
	struct archive_file big[] = { { "a", "", UINT64_MAX }, { "b", "", UINT64_MAX / 2 } };
	struct archive_file two[] = { { "a", "", UINT64_MAX / 2 }, { "b", "", UINT64_MAX / 2 } };

	sound();
	CHECK_EQ(archive_build_bytes(arc, big, 2), 0);
	CHECK_EQ(archive_build_bytes(arc, two, 2), 0);
}

TEST_MAIN
