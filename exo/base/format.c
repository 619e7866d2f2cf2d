/* SPDX-License-Identifier: MIT */
/*
 * format.c - formatted text: the printf conversions listed in format.h, by C11 7.21.6.1.
 *
 * Invariant: uses no memory but the stack; text goes to the sink in pieces as it is made.  A
 * conversion that it does not know is printed as it stands.  No floating point, no locale, no %n.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>

#include <limits.h>
#include <stdbool.h>

struct out {
	format_sink *sink;
	void *context;
	size_t total;           /* bytes given to the sink */
};

/* One conversion, as parsed: %[flags][width][.precision][length]conversion */
struct spec {
	bool left, zero, plus, space, alt;
	int width;              /* at least 0 */
	int precision;          /* -1: not given */
	int size;               /* bytes of an integer argument */
	char conversion;
};

enum { DIGITS_MAX = 24 };       /* of 64 bits, in octal, with room */

static void out_text(struct out *o, const char *text, size_t bytes)
{
	if (bytes)
		o->sink(o->context, text, bytes);
	o->total += bytes;
}

static void out_fill(struct out *o, char c, int count)
{
	char block[16];

	memset(block, c, sizeof(block));
	for (; count > 0; count -= (int)sizeof(block))
		out_text(o, block, min_u64((uint64_t)count, sizeof(block)));
}

/* Text of `bytes` bytes in its field. */
static void out_field(struct out *o, const struct spec *s, const char *text, size_t bytes)
{
	int fill = bytes < (size_t)s->width ? s->width - (int)bytes : 0;

	if (!s->left)
		out_fill(o, ' ', fill);
	out_text(o, text, bytes);
	if (s->left)
		out_fill(o, ' ', fill);
}

static size_t digits_of(char *end, uint64_t value, unsigned base, bool upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char *p = end;

	for (; value; value /= base)
		*--p = set[value % base];
	return (size_t)(end - p);
}

/* An integer with its sign or prefix: [spaces] prefix [zeros] digits [spaces] */
static void out_number(struct out *o, const struct spec *s, uint64_t value, unsigned base,
		       const char *prefix)
{
	char buffer[DIGITS_MAX];
	char *end = buffer + sizeof(buffer);
	int digits = (int)digits_of(end, value, base, s->conversion == 'X');
	int head = (int)strlen(prefix);
	int want = s->precision < 0 ? 1 : s->precision;
	int zeros = want > digits ? want - digits : 0;
	int fill;

	if (s->conversion == 'o' && s->alt && zeros == 0)
		zeros = 1;
	fill = s->width - head - zeros - digits;
	if (s->zero && !s->left && s->precision < 0 && fill > 0) {
		zeros += fill;
		fill = 0;
	}
	if (!s->left)
		out_fill(o, ' ', fill);
	out_text(o, prefix, (size_t)head);
	out_fill(o, '0', zeros);
	out_text(o, end - digits, (size_t)digits);
	if (s->left)
		out_fill(o, ' ', fill);
}

static void out_signed(struct out *o, const struct spec *s, int64_t value)
{
	const char *sign = value < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	out_number(o, s, magnitude, 10, sign);
}

static void out_string(struct out *o, const struct spec *s, const char *text)
{
	if (!text)
		text = "(null)";
	out_field(o, s, text,
		  s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
}

static int parse_int(const char **p)
{
	int value = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++)
		value = value > (INT_MAX - 9) / 10 ? INT_MAX / 10 : value * 10 + (**p - '0');
	return value;
}

static bool parse_flag(struct spec *s, char c)
{
	switch (c) {
	case '-': s->left = true; return true;
	case '0': s->zero = true; return true;
	case '+': s->plus = true; return true;
	case ' ': s->space = true; return true;
	case '#': s->alt = true; return true;
	default: return false;
	}
}

/* Lengths hh h l ll z; a plain integer has 4 bytes. */
static const char *parse_length(struct spec *s, const char *p)
{
	s->size = 4;
	if (*p == 'l' || *p == 'z') {
		s->size = 8;
		p += p[0] == 'l' && p[1] == 'l' ? 2 : 1;
	} else if (*p == 'h') {
		s->size = p[1] == 'h' ? 1 : 2;
		p += p[1] == 'h' ? 2 : 1;
	}
	return p;
}

/* A va_list in a struct, so that it can be handed on by address on every ABI. */
struct args {
	va_list list;
};

/* Parse behind a '%'; the address after the conversion, or NULL where the text ends first. */
static const char *parse_spec(struct spec *s, const char *p, struct args *a)
{
	*s = (struct spec){ .precision = -1 };
	while (parse_flag(s, *p))
		p++;
	if (*p == '*') {
		int width = va_arg(a->list, int);

		s->left |= width < 0;
		s->width = width == INT_MIN ? 0 : width < 0 ? -width : width;
		p++;
	} else {
		s->width = parse_int(&p);
	}
	if (*p == '.' && *++p == '*') {
		s->precision = va_arg(a->list, int);
		p++;
	} else if (p[-1] == '.') {
		s->precision = parse_int(&p);
	}
	p = parse_length(s, p);
	s->conversion = *p;
	return *p ? p + 1 : NULL;
}

static uint64_t arg_unsigned(const struct spec *s, struct args *a)
{
	if (s->size == 8)
		return va_arg(a->list, uint64_t);
	if (s->size == 1)
		return (unsigned char)va_arg(a->list, unsigned int);
	if (s->size == 2)
		return (unsigned short)va_arg(a->list, unsigned int);
	return va_arg(a->list, unsigned int);
}

static int64_t arg_signed(const struct spec *s, struct args *a)
{
	if (s->size == 8)
		return va_arg(a->list, int64_t);
	if (s->size == 1)
		return (signed char)va_arg(a->list, int);
	if (s->size == 2)
		return (short)va_arg(a->list, int);
	return va_arg(a->list, int);
}

static void out_unsigned(struct out *o, const struct spec *s, uint64_t value)
{
	const char *prefix = "";

	if (s->conversion == 'o') {
		out_number(o, s, value, 8, prefix);
		return;
	}
	if (s->alt && value && s->conversion != 'u')
		prefix = s->conversion == 'X' ? "0X" : "0x";
	out_number(o, s, value, s->conversion == 'u' ? 10 : 16, prefix);
}

/* Print one conversion; false if there is none of this letter. */
static bool out_spec(struct out *o, const struct spec *s, struct args *a)
{
	char c;

	switch (s->conversion) {
	case 'd':
	case 'i':
		out_signed(o, s, arg_signed(s, a));
		return true;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		out_unsigned(o, s, arg_unsigned(s, a));
		return true;
	case 'p':
		out_number(o, s, (uintptr_t)va_arg(a->list, void *), 16, "0x");
		return true;
	case 'c':
		c = (char)va_arg(a->list, int);
		out_field(o, s, &c, 1);
		return true;
	case 's':
		out_string(o, s, va_arg(a->list, const char *));
		return true;
	case '%':
		out_text(o, "%", 1);
		return true;
	default:
		return false;
	}
}

size_t format_to(format_sink *sink, void *context, const char *format, va_list args)
{
	struct out o = { .sink = sink, .context = context };
	struct args a;

	va_copy(a.list, args);
	while (*format) {
		const char *next = strchr(format, '%');
		size_t plain = next ? (size_t)(next - format) : strlen(format);
		struct spec s;

		out_text(&o, format, plain);
		format += plain;
		if (!*format)
			break;
		next = parse_spec(&s, format + 1, &a);
		if (!next)
			next = format + strlen(format);
		if (!out_spec(&o, &s, &a))
			out_text(&o, format, (size_t)(next - format));
		format = next;
	}
	va_end(a.list);
	return o.total;
}

struct buffer {
	char *at;
	size_t room;            /* bytes left, without the NUL */
};

static void buffer_sink(void *context, const char *text, size_t bytes)
{
	struct buffer *b = context;
	size_t n = min_u64(bytes, b->room);

	if (!n)
		return;                 /* at may be NULL */
	memcpy(b->at, text, n);
	b->at += n;
	b->room -= n;
}

int format_buffer_v(char *buffer, size_t bytes, const char *format, va_list args)
{
	struct buffer b = { .at = buffer, .room = bytes ? bytes - 1 : 0 };
	size_t length = format_to(buffer_sink, &b, format, args);

	if (bytes)
		*b.at = 0;
	return length > INT_MAX ? INT_MAX : (int)length;
}

int format_buffer(char *buffer, size_t bytes, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = format_buffer_v(buffer, bytes, format, args);
	va_end(args);
	return length;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

int parse_u64(const char *text, const char **end, uint64_t *value)
{
	const char *p = text;
	unsigned base = 10;
	uint64_t v = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	if (digit_value(*p) >= (int)base)
		return -1;
	for (; digit_value(*p) < (int)base; p++)
		if (!mul_u64(v, base, &v) || !add_u64(v, (uint64_t)digit_value(*p), &v))
			return -1;
	*value = v;
	if (end)
		*end = p;
	return 0;
}
