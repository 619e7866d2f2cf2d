/* SPDX-License-Identifier: MIT */
/*
 * http.h - reading HTTP/1 messages: heads, fields, request and status lines, URLs, dates.
 *
 * Pure: every function looks at the bytes it is given and nothing else, allocates nothing and ends
 * after work in proportion to their number.  Results are pieces of the caller's buffer, lent as
 * long as that stays.  Syntax: RFC 9110 (fields), RFC 9112 (messages), RFC 3986 (URLs).
 * What the messages mean for a server is httpd's affair.
 */
#ifndef SERVICES_HTTP_H
#define SERVICES_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX   16384u  /* bytes of a head: request or status line, fields, empty line */
#define HTTP_TARGET_MAX 12800u  /* of a request target: a path of 4,095 bytes, all as %xx, fits */
#define HTTP_FIELDS_MAX 100u    /* field lines of a head */

/* A piece of a buffer; not ended with NUL. */
struct http_text {
	const char *at;
	size_t bytes;
};

/* Equal to a word: byte for byte; but for the case of ASCII letters; does it begin so? */
bool http_text_is(struct http_text text, const char *word);
bool http_text_alike(struct http_text text, const char *word);
bool http_text_starts(struct http_text text, const char *word);

/* A decimal number, digits only: 0; -1 if it is empty, has other bytes or does not fit. */
int http_text_number(struct http_text text, uint64_t *value);

/* Without spaces and tabs at both ends. */
struct http_text http_text_trim(struct http_text text);

/*
 * Take the next item off a comma-separated list, trimmed; empty items are skipped and commas in
 * double quotes do not count.  false at the end.
 */
bool http_list_next(struct http_text *list, struct http_text *item);

/* How many bytes of empty lines stand before a message: RFC 9112 2.2 has them passed over. */
size_t http_head_skip(const char *text, size_t bytes);

/*
 * The length of the head that begins at `text`, its empty line included; 0: it is not complete.
 * *seen: 0 at first, kept by the caller while bytes are added, so that none is looked at twice.
 */
size_t http_head_bytes(const char *text, size_t bytes, size_t *seen);

struct http_request {
	struct http_text method, target;
	struct http_text fields;        /* all field lines, checked */
	uint32_t minor;                 /* of HTTP/1.minor */
};

/*
 * Read the head of a request as http_head_bytes measured it.  Lines end with CR LF or LF alone.
 * 0, or the status to answer with: 400 malformed, 414 target over HTTP_TARGET_MAX, 431 more than
 * HTTP_FIELDS_MAX fields, 505 another major version.
 */
int http_request_parse(const char *head, size_t bytes, struct http_request *out);

/*
 * Can what begins so never become a request, whatever follows?  Says so early for what is no HTTP
 * at all: no method of at most 32 bytes stands at its start.
 */
bool http_request_hopeless(const char *text, size_t bytes);

struct http_response {
	struct http_text reason;        /* may be empty */
	struct http_text fields;        /* all field lines, checked */
	uint32_t status;                /* 100 to 999 */
	uint32_t minor;                 /* of HTTP/1.minor */
};

/* Read the head of a response: 0, or -1 if it is malformed or not of HTTP/1. */
int http_response_parse(const char *head, size_t bytes, struct http_response *out);

/* Take the next field off checked field lines: false at the end.  The value is trimmed. */
bool http_field_next(struct http_text *fields, struct http_text *name, struct http_text *value);

/* The first field of this name (letter case aside), and how many of it there are; 0: none. */
unsigned http_field_find(struct http_text fields, const char *name, struct http_text *value);

/* Is this word among the items of all fields of this name (letter case aside)? */
bool http_field_lists(struct http_text fields, const char *name, const char *word);

struct http_url {
	struct http_text host;          /* a name or an address; of IPv6 without its brackets */
	struct http_text target;        /* path and query; empty stands for "/" */
	uint16_t port;                  /* 80 if it is not said */
	bool     literal;               /* the host stood in brackets: an IPv6 address */
};

/*
 * Read http://HOST[:PORT][/PATH][?QUERY][#FRAGMENT]; "http://" may be missing.  0, or -1 with *why
 * in words: another scheme, user names, bytes that do not belong there.
 */
int http_url_parse(const char *url, size_t bytes, struct http_url *out, const char **why);

#define HTTP_DATE_BYTES 30u     /* "Sun, 06 Nov 1994 08:49:37 GMT" with its NUL */

/* Write a date, seconds since 1970 UTC, of the years 0 to 9999 (others: the nearest of these). */
void http_date_write(int64_t seconds, char out[HTTP_DATE_BYTES]);

/* Read a date in any of the three forms of RFC 9110 5.6.7: 0, or -1. */
int http_date_read(struct http_text text, int64_t *seconds);

#endif
