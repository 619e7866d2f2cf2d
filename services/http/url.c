/* SPDX-License-Identifier: MIT */
/*
 * url.c - http URLs.
 */
#include <base/string.h>
#include <services/http.h>

static int refuse(const char **why, const char *words)
{
	*why = words;
	return -1;
}

/* The first byte of `text` that is one of `set`, or its end. */
static size_t find_any(struct http_text text, const char *set)
{
	size_t i;

	for (i = 0; i < text.bytes; i++)
		if (text.at[i] != '\0' && strchr(set, text.at[i]) != NULL)
			break;
	return i;
}

static bool host_good(struct http_text host, bool literal)
{
	for (size_t i = 0; i < host.bytes; i++) {
		unsigned char c = (unsigned char)host.at[i];
		bool plain = (c >= '0' && c <= '9') || c == '.';
		bool hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!plain && !(literal ? hex || c == ':' : letter || c == '-' || c == '_'))
			return false;
	}
	return host.bytes > 0;
}

/* HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT */
static int authority(struct http_text text, struct http_url *out, const char **why)
{
	uint64_t port = 80;
	size_t end;

	out->literal = text.bytes > 0 && text.at[0] == '[';
	if (out->literal) {
		text.at++;
		text.bytes--;
	}
	end = find_any(text, out->literal ? "]" : ":");
	if (out->literal && end == text.bytes)
		return refuse(why, "the address has no closing bracket");
	out->host = (struct http_text){ text.at, end };
	if (!host_good(out->host, out->literal))
		return refuse(why, "this is not the name or address of a host");
	end += out->literal;
	text.at += end;
	text.bytes -= end;
	if (text.bytes > 0) {
		struct http_text digits = { text.at + 1, text.bytes - 1 };

		if (text.at[0] != ':' || http_text_number(digits, &port) < 0 || port == 0 ||
		    port > 65535)
			return refuse(why, "the port is not a number from 1 to 65535");
	}
	out->port = (uint16_t)port;
	return 0;
}

static bool target_good(struct http_text target)
{
	for (size_t i = 0; i < target.bytes; i++)
		if ((unsigned char)target.at[i] <= 0x20 || target.at[i] == 0x7f)
			return false;
	return true;
}

/* Is there a scheme, "letters://", and what comes behind it? */
static bool scheme(struct http_text *text, bool *http)
{
	size_t colon = find_any(*text, ":/?#[@");

	if (text->bytes - colon < 3 || memcmp(text->at + colon, "://", 3) != 0)
		return false;
	*http = http_text_alike((struct http_text){ text->at, colon }, "http");
	text->at += colon + 3;
	text->bytes -= colon + 3;
	return true;
}

int http_url_parse(const char *url, size_t bytes, struct http_url *out, const char **why)
{
	struct http_text text = { url, bytes }, host;
	bool http = true;

	if (scheme(&text, &http) && !http)
		return refuse(why, "only http:// is known here");
	text.bytes = find_any(text, "#");
	host = (struct http_text){ text.at, find_any(text, "/?") };
	if (find_any(host, "@") < host.bytes)
		return refuse(why, "user names in a URL are not taken");
	out->target = (struct http_text){ text.at + host.bytes, text.bytes - host.bytes };
	if (!target_good(out->target))
		return refuse(why, "spaces and control bytes must be written as %20 and the like");
	return authority(host, out, why);
}
