/* SPDX-License-Identifier: MIT */
/*
 * boot_cmdline_test.c - the boot line, from load options and from a file.
 */
// sources: uefi/cmdline.c exo/base/format.c exo/base/string.c
// includes: uefi
// flags: -fno-builtin -Dmemcpy=t_memcpy -Dmemmove=t_memmove -Dmemset=t_memset -Dmemcmp=t_memcmp
// flags: -Dmemchr=t_memchr -Dstrlen=t_strlen -Dstrnlen=t_strnlen -Dstrcmp=t_strcmp
// flags: -Dstrncmp=t_strncmp -Dstrchr=t_strchr -Dstrrchr=t_strrchr
#include "cmdline.h"
#include "test.h"

static char line[EXO_CMDLINE_MAX];
static struct why why;
static unsigned char options[2 * 10001];

/* The text as UCS-2 with NUL, as the firmware passes it; its bytes. */
static uint64_t ucs2(const char *text)
{
	uint64_t n = strlen(text) + 1;

	for (uint64_t i = 0; i < n; i++) {
		options[2 * i] = (unsigned char)text[i];
		options[2 * i + 1] = 0;
	}
	return 2 * n;
}

static void option_is(const char *text, const char *expected)
{
	enum cmdline_found found = cmdline_options(line, options, ucs2(text), &why);

	CHECK_EQ(found, *expected ? CMDLINE_TEXT : CMDLINE_NONE);
	CHECK_STR(line, expected);
}

TEST(options_are_taken_as_text)
{
	option_is("hello=1 two words", "hello=1 two words");
	option_is("  spaces  ", "spaces");
	option_is("", "");
	option_is("   ", "");
	CHECK_EQ(cmdline_options(line, options, 0, &why), CMDLINE_NONE);
	CHECK_EQ(cmdline_options(line, options, ucs2("ab") - 2, &why), CMDLINE_TEXT);
	CHECK_STR(line, "ab");
}

TEST(program_name_is_left_out)
{
	option_is("exo.efi app icount=7", "app icount=7");
	option_is("FS0:\\EXO.EFI  x", "x");
	option_is("exo.efi", "");
	option_is("exo.efix y", "exo.efix y");
	option_is("efi", "efi");
}

TEST(options_that_are_not_text_are_told_apart)
{
	ucs2("hello");
	CHECK_EQ(cmdline_options(line, options, 5, &why), CMDLINE_BINARY);
	options[3] = 0x4e;
	CHECK_EQ(cmdline_options(line, options, 12, &why), CMDLINE_BINARY);
	ucs2("a\tb");
	CHECK_EQ(cmdline_options(line, options, 8, &why), CMDLINE_BINARY);
	ucs2("ab");
	options[0] = 0;         /* NUL before the end */
	CHECK_EQ(cmdline_options(line, options, 6, &why), CMDLINE_BINARY);
}

static const char *repeated(unsigned n)
{
	static char text[10001];

	memset(text, 'x', n);
	text[n] = 0;
	return text;
}

TEST(lines_up_to_the_limit_fit)
{
	option_is(repeated(EXO_CMDLINE_MAX - 1), repeated(EXO_CMDLINE_MAX - 1));
	CHECK_EQ(cmdline_options(line, options, ucs2(repeated(EXO_CMDLINE_MAX)), &why),
		 CMDLINE_LONG);
	CHECK_EQ(cmdline_options(line, options, ucs2(repeated(10000)), &why), CMDLINE_LONG);
	CHECK(strstr(why.text, "10000 characters") != NULL);
	CHECK_EQ(cmdline_file(line, repeated(EXO_CMDLINE_MAX), EXO_CMDLINE_MAX, &why),
		 CMDLINE_LONG);
	CHECK_EQ(cmdline_file(line, repeated(EXO_CMDLINE_MAX - 1), EXO_CMDLINE_MAX - 1, &why),
		 CMDLINE_TEXT);
}

static enum cmdline_found file(const char *text)
{
	return cmdline_file(line, text, strlen(text), &why);
}

TEST(file_gives_its_first_line)
{
	CHECK_EQ(file("# comment\r\n\r\n  app=1 two \r\nthree\n"), CMDLINE_TEXT);
	CHECK_STR(line, "app=1 two");
	CHECK_EQ(file("no newline"), CMDLINE_TEXT);
	CHECK_STR(line, "no newline");
	CHECK_EQ(file("   \n# only\n"), CMDLINE_NONE);
	CHECK_STR(line, "");
	CHECK_EQ(file(""), CMDLINE_NONE);
	CHECK_EQ(file("\x7f" "ELF"), CMDLINE_BINARY);
	CHECK_EQ(file("caf\xc3\xa9"), CMDLINE_BINARY);
}

TEST_MAIN
