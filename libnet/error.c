/* SPDX-License-Identifier: MIT */
/*
 * error.c - texts of the network library's errors.
 */
#include <exos/error.h>
#include <net/error.h>

const char *net_error_text(int64_t code)
{
	switch (code < 0 ? -code : code) {
#define NET_ERROR_CASE(name, number, text) case number: return text;
	NET_ERRORS(NET_ERROR_CASE)
#undef NET_ERROR_CASE
	}
	return exo_error_text(code);
}
