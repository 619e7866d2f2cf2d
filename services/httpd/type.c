/* SPDX-License-Identifier: MIT */
/*
 * type.c - the table of media types.
 */
#include "type.h"

#include <base/string.h>
#include <base/util.h>
#include <services/http.h>

#define TEXT_UTF8 "text/plain; charset=utf-8"

static const struct {
	const char *end;        /* with its dot, or a whole name */
	const char *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" }, { ".htm", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" }, { ".json", "application/json" },
	{ ".xml", "application/xml" }, { ".svg", "image/svg+xml" }, { ".png", "image/png" },
	{ ".jpg", "image/jpeg" }, { ".jpeg", "image/jpeg" }, { ".gif", "image/gif" },
	{ ".webp", "image/webp" }, { ".ico", "image/vnd.microsoft.icon" },
	{ ".pdf", "application/pdf" }, { ".gz", "application/gzip" },
	{ ".tgz", "application/gzip" }, { ".xz", "application/x-xz" },
	{ ".zst", "application/zstd" }, { ".zip", "application/zip" },
	{ ".tar", "application/x-tar" }, { ".wasm", "application/wasm" },
	{ ".woff2", "font/woff2" }, { ".mp4", "video/mp4" }, { ".webm", "video/webm" },
	{ ".mp3", "audio/mpeg" }, { ".ogg", "audio/ogg" }, { ".wav", "audio/wav" },
	{ ".pcap", "application/vnd.tcpdump.pcap" }, { ".csv", "text/csv; charset=utf-8" },
	{ ".txt", TEXT_UTF8 }, { ".md", TEXT_UTF8 }, { ".c", TEXT_UTF8 }, { ".h", TEXT_UTF8 },
	{ ".s", TEXT_UTF8 }, { ".ld", TEXT_UTF8 }, { ".mk", TEXT_UTF8 }, { ".sh", TEXT_UTF8 },
	{ ".py", TEXT_UTF8 }, { ".def", TEXT_UTF8 }, { ".conf", TEXT_UTF8 }, { ".log", TEXT_UTF8 },
	{ ".ini", TEXT_UTF8 }, { ".cfg", TEXT_UTF8 }, { ".yml", TEXT_UTF8 },
	{ ".yaml", TEXT_UTF8 }, { ".toml", TEXT_UTF8 }, { ".diff", TEXT_UTF8 },
	{ ".patch", TEXT_UTF8 }, { "license", TEXT_UTF8 }, { "readme", TEXT_UTF8 },
	{ "makefile", TEXT_UTF8 }, { "gnumakefile", TEXT_UTF8 }, { "copying", TEXT_UTF8 },
};

const char *type_of(const char *path, size_t bytes)
{
	size_t name = bytes, dot = bytes;
	struct http_text end;

	while (name > 0 && path[name - 1] != '/')
		name--;
	for (size_t i = name; i < bytes; i++)
		if (path[i] == '.')
			dot = i;
	/* A name that only begins with a dot has no end. */
	if (dot == bytes || dot == name)
		dot = name;
	end = (struct http_text){ path + dot, bytes - dot };
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (http_text_alike(end, types[i].end))
			return types[i].type;
	return "application/octet-stream";
}
