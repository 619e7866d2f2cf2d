/* SPDX-License-Identifier: MIT */
/*
 * archive_test.c - reading the boot archive as a program does: a sound one, and each lie told.
 *
 * Mapping is faked: the archive lies in this test's memory.
 */
// sources: libexos/archive.c exo/base/hash.c
// includes: exo/base/include exo/include libexos/include
#include <exos/archive.h>
#include <exos/space.h>
#include <exos/start.h>

#include <stdio.h>
#include <string.h>

#include <base/hash.h>

#define BYTES 0x4000u
static _Alignas(4096) struct {
	struct exo_archive h;
	struct exo_archive_entry e[2];
	uint8_t rest[BYTES - sizeof(struct exo_archive) - 2 * sizeof(struct exo_archive_entry)];
} file;

static struct exos_grant grant[EXOS_ARCHIVE_PARTS + 1];
static unsigned grants;
static int failures, mapped;
struct exos_space exos_space_own;

const struct exos_grant *exos_grant(const char *name, unsigned n)
{
	return strcmp(name, "archive") == 0 && n < grants ? &grant[n] : NULL;
}

uint64_t exos_space_reserve(uint64_t bytes)
{
	return bytes <= BYTES ? (uint64_t)&file : 0;
}

int exos_space_map(struct exos_space *space, uint64_t va, exo_slot claim, uint64_t pfn,
		   uint64_t pages, uint32_t prot)
{
	mapped++;
	return space == &exos_space_own && claim == 7 && prot == EXO_R_READ && pages > 0 &&
	       va - (uint64_t)&file == (pfn - 100) * 4096 ? 0 : -1;
}

static void seal(void)
{
	file.h.hash = hash_xxh64(file.e, file.h.count * sizeof(file.e[0]));
}

static void fresh(void)
{
	memset(&file, 0, sizeof(file));
	file.h = (struct exo_archive){ .magic = EXO_ARCHIVE_MAGIC, .bytes = BYTES, .count = 2 };
	strcpy(file.e[0].name, "one");
	file.e[0].offset = 0x1000;
	file.e[0].bytes = 5;
	file.e[0].hash = hash_xxh64("hello", 5);
	memcpy((uint8_t *)&file + 0x1000, "hello", 5);
	strcpy(file.e[1].name, "two");
	file.e[1].offset = 0x3000;
	file.e[1].bytes = 0x1000;
	file.e[1].hash = hash_xxh64((uint8_t *)&file + 0x3000, 0x1000);
	seal();
	grant[0] = (struct exos_grant){ .slot = 7, .lo = 100, .hi = 104 };
	grants = 1;
}

static void check(const char *name, const char *want, const char *got)
{
	int passed = want == NULL ? got == NULL : got != NULL && strstr(got, want) != NULL;

	printf(passed ? "ok archive_%s\n" : "FAIL archive_%s: %s\n", name, got ? got : "accepted");
	failures += !passed;
}

static const char *opened(void)
{
	struct exos_archive a;

	seal();
	return exos_archive_open(&a);
}

static void test_find(void)
{
	struct exos_archive a;
	const void *data = NULL;
	size_t bytes = 0;

	fresh();
	check("open", NULL, exos_archive_open(&a));
	check("find", NULL, exos_archive_find(&a, "one", &data, &bytes));
	check("found", NULL, bytes == 5 && memcmp(data, "hello", 5) == 0 ? NULL : "wrong");
	check("find_last", NULL, exos_archive_find(&a, "two", &data, &bytes));
	check("no_such", "no such", exos_archive_find(&a, "three", &data, &bytes));
	check("prefix_is_not_it", "no such", exos_archive_find(&a, "on", &data, &bytes));
	((uint8_t *)&file)[0x1002] ^= 1;
	check("changed_byte", "checksum", exos_archive_find(&a, "one", &data, &bytes));
}

static void test_parts(void)
{
	struct exos_archive a;
	const void *data;
	size_t bytes;

	fresh();
	grant[0].hi = 102;
	grant[1] = (struct exos_grant){ .slot = 7, .lo = 103, .hi = 104 };
	grants = 2;
	mapped = 0;
	check("two_parts", NULL, exos_archive_open(&a));
	check("both_mapped", NULL, mapped == 2 ? NULL : "not both");
	check("in_second_part", NULL, exos_archive_find(&a, "two", &data, &bytes));
	file.e[1].offset = 0x2000;
	seal();
	check("open_hole", NULL, exos_archive_open(&a));
	check("in_hole", "not in the part", exos_archive_find(&a, "two", &data, &bytes));
	file.e[1].offset = 0x1000;
	seal();
	check("open_across", NULL, exos_archive_open(&a));
	file.e[1].bytes = 0x1001;
	seal();
	exos_archive_open(&a);
	check("across_hole", "not in the part", exos_archive_find(&a, "two", &data, &bytes));
}

static void test_lies(void)
{
	fresh();
	file.h.magic++;
	check("magic", "something else", opened());
	fresh();
	file.e[0].name[0] = 'x';
	check("list_hash", "list is wrong", exos_archive_open(&(struct exos_archive){ 0 }));
	fresh();
	memset(file.e[1].name, 'n', sizeof(file.e[1].name));
	check("name_without_end", "no end", opened());
	fresh();
	file.e[0].offset = 0x1001;
	check("offset_not_on_page", "outside", opened());
	fresh();
	file.e[0].offset = ~0xffful;
	check("offset_huge", "outside", opened());
	fresh();
	file.e[0].bytes = ~0ul;
	check("bytes_huge", "outside", opened());
	fresh();
	file.h.count = 0xffffffff;
	check("count_huge", "truncated", exos_archive_open(&(struct exos_archive){ 0 }));
	fresh();
	file.h.bytes = 64;
	check("bytes_below_list", "truncated", exos_archive_open(&(struct exos_archive){ 0 }));
	fresh();
	grants = 0;
	check("not_granted", "not granted", opened());
}

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	test_find();
	test_parts();
	test_lies();
	return failures != 0;
}
