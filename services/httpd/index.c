/* SPDX-License-Identifier: MIT */
/*
 * index.c - the pages of directories: how they look, and which are kept.
 *
 * Invariant: site->page_bytes is the memory of all pages in the list; a page with readers stays.
 */
#include "index.h"

#include <base/string.h>
#include <exos/heap.h>

#include "listing.h"

static const char page_top[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
static const char page_style[] =
	"</title>\n<style>\n"
	":root{color-scheme:light dark}\n"
	"body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
	"h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"th{text-align:left;font-weight:600;border-bottom:2px solid #8886}\n"
	"th,td{padding:.2rem .75rem .2rem 0;vertical-align:top}\n"
	"tr+tr td{border-top:1px solid #8883}\n"
	"tr:hover td{background:#8881}\n"
	"td:first-child{overflow-wrap:anywhere}\n"
	".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	".k{opacity:.65;font-size:.85em}\n"
	"a{text-decoration:none}a:hover{text-decoration:underline}\n"
	"footer{margin-top:1.5rem;opacity:.65;font-size:.85em}\n"
	"</style>\n</head>\n<body>\n<h1>";
static const char page_table[] =
	"</h1>\n<table>\n<tr><th>Name</th><th class=\"n\">Size</th><th class=\"n\">Modified</th>"
	"</tr>\n";

/* The path, each directory of it a link. */
static void page_heading(struct text *t, const struct path *p)
{
	text_string(t, "<a href=\"/\">/</a>");
	for (size_t at = 1, end; at < p->bytes; at = end + 1) {
		for (end = at; end < p->bytes && p->at[end] != '/';)
			end++;
		text_string(t, "<a href=\"");
		text_url(t, p->at, end);
		text_string(t, "/\">");
		text_html(t, p->at + at, end - at);
		text_string(t, "</a>/");
	}
}

static void size_add(struct text *t, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	unsigned unit = 0;
	uint64_t tenths;

	if (bytes < 1024) {
		text_format(t, "%lu B", (unsigned long)bytes);
		return;
	}
	while (bytes >> 10 >= 1024) {
		bytes >>= 10;
		unit++;
	}
	tenths = (bytes & 1023) * 10 / 1024;
	text_format(t, "%lu.%lu %ciB", (unsigned long)(bytes >> 10), (unsigned long)tenths,
		    units[unit]);
}

static const char *kind_text(const struct listing_entry *e)
{
	switch (e->type) {
	case FS_FILE:
	case FS_DIR: return e->link ? "link" : NULL;
	case FS_CHAR: return "character device";
	case FS_BLOCK: return "block device";
	case FS_FIFO: return "fifo";
	case FS_SOCKET: return "socket";
	default: return e->link ? "link that leads nowhere" : "unreadable";
	}
}

/* What cannot be opened is a link too: the answer says why. */
static void row_name(struct text *t, const struct listing_entry *e)
{
	const char *slash = e->type == FS_DIR ? "/" : "", *kind = kind_text(e);

	text_string(t, "<tr><td><a href=\"");
	text_url(t, e->name, e->name_bytes);
	text_format(t, "%s\">", slash);
	text_html(t, e->name, e->name_bytes);
	text_format(t, "%s</a>", slash);
	if (kind != NULL)
		text_format(t, " <span class=\"k\">%s</span>", kind);
}

static void row_add(struct text *t, const struct listing_entry *e)
{
	row_name(t, e);
	text_string(t, "</td><td class=\"n\">");
	if (e->type == FS_FILE)
		size_add(t, e->size);
	text_string(t, "</td><td class=\"n\">");
	if (e->type != FS_NONE)
		text_date(t, e->modified);
	text_string(t, "</td></tr>\n");
}

static void page_foot(struct text *t, const struct listing *list)
{
	size_t dirs = 0;

	while (dirs < list->count && list->entry[dirs]->type == FS_DIR)
		dirs++;
	text_format(t, "</table>\n<footer>%zu %s, %zu %s", dirs,
		    dirs == 1 ? "directory" : "directories", list->count - dirs,
		    list->count - dirs == 1 ? "file" : "files");
	if (list->left_out > 0)
		text_format(t, "; %zu more entries are not shown", list->left_out);
	text_string(t, "; times are UTC</footer>\n</body>\n</html>\n");
}

static void page_write(struct text *t, const struct path *p, const struct listing *list)
{
	text_add(t, page_top, sizeof(page_top) - 1);
	text_html(t, p->at, p->bytes);
	text_add(t, page_style, sizeof(page_style) - 1);
	page_heading(t, p);
	text_add(t, page_table, sizeof(page_table) - 1);
	if (p->bytes > 1)
		text_string(t, "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
	for (size_t i = 0; i < list->count && !t->failed; i++)
		row_add(t, list->entry[i]);
	page_foot(t, list);
}

static size_t page_size(const struct page *page)
{
	return sizeof(*page) + page->path_bytes + page->text.room;
}

static void page_free(struct page *page)
{
	text_clear(&page->text, 0);
	free(page);
}

/* Forget pages that nobody reads, the longest unused first, until `bytes` more may be kept. */
static void pages_trim(struct site *site, size_t bytes)
{
	struct page **link, **last;

	while (site->page_bytes > 0 && bytes > site->page_most - site->page_bytes) {
		last = NULL;
		for (link = &site->pages; *link != NULL; link = &(*link)->next)
			if ((*link)->refs == 0)
				last = link;
		if (last == NULL)
			return;
		struct page *page = *last;

		*last = page->next;
		site->page_bytes -= page_size(page);
		page_free(page);
	}
}

static struct page *page_find(struct site *site)
{
	struct page **link, *page;

	for (link = &site->pages; (page = *link) != NULL; link = &page->next) {
		if (page->path_bytes != site->path.bytes ||
		    memcmp(page->path, site->path.at, site->path.bytes) != 0)
			continue;
		*link = page->next;
		page->next = site->pages;
		site->pages = page;
		return page;
	}
	return NULL;
}

/* Make a page within what memory for pages is left. */
static int page_make(struct site *site, const struct fs_node *dir, struct page **out)
{
	struct page *page = calloc(1, sizeof(*page) + site->path.bytes);
	struct listing list;
	int error;

	if (page == NULL)
		return -FS_E_NOMEM;
	page->path_bytes = (uint32_t)site->path.bytes;
	memcpy(page->path, site->path.at, site->path.bytes);
	pages_trim(site, site->page_most / 2);
	error = listing_read(site, dir, site->page_most / 4, &list);
	page->text.limit = site->page_most - site->page_bytes + 1;
	if (error == 0)
		page_write(&page->text, &site->path, &list);
	listing_free(&list);
	text_fit(&page->text);
	if (error == 0 && (page->text.failed ||
			   page_size(page) > site->page_most - site->page_bytes))
		error = -FS_E_NOMEM;
	if (error < 0)
		page_free(page);
	*out = page;
	return error;
}

int index_get(struct site *site, const struct fs_node *dir, struct page **out)
{
	struct page *page = page_find(site);
	int error = page != NULL ? 0 : page_make(site, dir, &page);

	if (error < 0)
		return error;
	if (page->refs == 0 && page != site->pages) {
		page->next = site->pages;
		site->pages = page;
		site->page_bytes += page_size(page);
	}
	page->refs++;
	*out = page;
	return 0;
}

void index_put(struct page *page)
{
	page->refs--;
}
