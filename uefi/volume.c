/* SPDX-License-Identifier: MIT */
/*
 * volume.c - the folder \exo\ of the volume the loader came from.
 *
 * boot.txt is the boot line; every other regular file adds to the boot archive or replaces a member
 * of it.  A file that cannot be used is named and left out, unless it replaces a member: then the
 * boot ends, rather than run something else than was asked for.  Names that begin with a dot are
 * left out.  No volume, or no such folder, is no error.
 */
#include "loader.h"

#include "cmdline.h"

#include <base/string.h>
#include <base/util.h>

enum { PAGE = 4096, LINE_FILE_MAX = 64 * 1024 };

/* Information on a file with the longest name FAT has, aligned as EFI_FILE_INFO. */
union info {
	EFI_FILE_INFO file;
	char room[sizeof(EFI_FILE_INFO) + 2 * 256];
};

static EFI_FILE *folder_open(struct loader *l)
{
	EFI_GUID guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
	EFI_FILE_IO_INTERFACE *fs;
	EFI_FILE *root, *folder;
	EFI_STATUS s;

	if (!l->loaded->DeviceHandle ||
	    l->bs->HandleProtocol(l->loaded->DeviceHandle, &guid, (void **)&fs) != EFI_SUCCESS ||
	    fs->OpenVolume(fs, &root) != EFI_SUCCESS)
		return NULL;
	s = root->Open(root, &folder, L"\\exo", EFI_FILE_MODE_READ, 0);
	root->Close(root);
	return s == EFI_SUCCESS ? folder : NULL;
}

/* All of a file in scratch pages; NULL with why set. */
static void *file_read(struct loader *l, EFI_FILE *folder, const EFI_FILE_INFO *info,
		       const char *name)
{
	uint64_t pages = round_up(info->FileSize, PAGE) / PAGE;
	UINTN bytes = info->FileSize;
	EFI_FILE *file;
	EFI_STATUS s;
	void *data;

	data = memory_scratch(l, pages ? pages : 1, name);
	if (!data)
		return NULL;
	s = folder->Open(folder, &file, (CHAR16 *)info->FileName, EFI_FILE_MODE_READ, 0);
	if (s == EFI_SUCCESS) {
		s = file->Read(file, &bytes, data);
		file->Close(file);
	}
	if (s == EFI_SUCCESS && bytes == info->FileSize) {
		memset((char *)data + bytes, 0, round_up(bytes, PAGE) - bytes);
		return data;
	}
	memory_release(l, data, pages ? pages : 1);
	(void)refuse(&l->why, "\\exo\\%s: cannot be read", name);
	return NULL;
}

/* The boot line; one that cannot be read is said and left out. */
static bool line_read(struct loader *l, EFI_FILE *folder, const EFI_FILE_INFO *info)
{
	enum cmdline_found found;
	void *text;

	if (info->FileSize > LINE_FILE_MAX)
		return refuse(&l->why, "\\exo\\boot.txt: %lu bytes, the limit is %u",
			      info->FileSize, LINE_FILE_MAX);
	text = file_read(l, folder, info, "boot.txt");
	if (!text) {
		say(l, "%s", l->why.text);
		return true;
	}
	found = cmdline_file(l->boot->cmdline, text, info->FileSize, &l->why);
	memory_release(l, text, max_u64(round_up(info->FileSize, PAGE) / PAGE, 1));
	if (found == CMDLINE_BINARY)
		say(l, "\\exo\\boot.txt: is not ASCII text: ignored");
	return found != CMDLINE_LONG;
}

static bool file_take(struct loader *l, EFI_FILE *folder, const EFI_FILE_INFO *info,
		      const char *name)
{
	bool replaces = archive_find(l->archive, name) != NULL;
	struct archive_file *f = &l->file[l->files];

	if (replaces && l->secure) {
		say(l, "\\exo\\%s: not used, Secure Boot is on", name);
		return true;
	}
	if (l->files == LOADER_FILES) {
		say(l, "\\exo\\%s: not used, there are more than %u files", name, LOADER_FILES);
		return !replaces || refuse(&l->why, "\\exo\\: too many files");
	}
	f->data = file_read(l, folder, info, name);
	if (!f->data) {
		say(l, "%s%s", l->why.text, replaces ? "" : ": left out");
		return !replaces;
	}
	string_copy(f->name, name, sizeof(f->name));
	f->bytes = info->FileSize;
	l->files++;
	return true;
}

/* A file name as a member name; false if it cannot be one. */
static bool name_convert(char *name, const CHAR16 *from)
{
	uint32_t n = 0;

	for (; from[n]; n++) {
		if (n + 1 == EXO_ARCHIVE_NAME || from[n] <= ' ' || from[n] >= 0x7f)
			return false;
		name[n] = (char)from[n];
	}
	name[n] = 0;
	return n > 0;
}

static bool is_line_file(const char *name)
{
	static const char line[] = "boot.txt";

	for (uint32_t i = 0; i < sizeof(line); i++)
		if ((name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]) != line[i])
			return false;
	return true;
}

static bool entry_take(struct loader *l, EFI_FILE *folder, const EFI_FILE_INFO *info)
{
	char name[EXO_ARCHIVE_NAME];

	if (info->Attribute & EFI_FILE_DIRECTORY || info->FileName[0] == '.')
		return true;
	if (!name_convert(name, info->FileName)) {
		say(l, "\\exo\\: a file whose name is not 1 to %u ASCII characters: left out",
		    EXO_ARCHIVE_NAME - 1);
		return true;
	}
	if (is_line_file(name))
		return line_read(l, folder, info);
	return file_take(l, folder, info, name);
}

bool volume_read(struct loader *l)
{
	EFI_FILE *folder = folder_open(l);
	static union info info;
	bool good = true;

	if (!folder)
		return true;
	l->boot->volume = 1;
	while (good) {
		UINTN bytes = sizeof(info) - sizeof(CHAR16);
		EFI_STATUS s;

		memset(&info, 0, sizeof(info));
		s = folder->Read(folder, &bytes, &info);
		if (s != EFI_SUCCESS) {
			say(l, "\\exo\\: the folder cannot be read further (status %lu)",
			    (uint64_t)s & 0xff);
			break;
		}
		if (bytes == 0)
			break;
		good = entry_take(l, folder, &info.file);
	}
	folder->Close(folder);
	return good;
}
