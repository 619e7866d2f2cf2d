/* SPDX-License-Identifier: MIT */
/*
 * errors.c - the texts of all errors, this library's and the kernel's.
 */
#include <libfs/errors.h>

#define ERROR_CASE_FS(name, number, text) case FS_E_##name: return text;
#define ERROR_CASE_EXO(name, number, text) case EXO_E_##name: return text;

const char *fs_error_text(int error)
{
	/* INT_MIN has no positive twin and is no error of ours. */
	switch (error < 0 && error >= -1024 ? -error : error) {
	case 0:
		return "success";
	FS_ERRORS(ERROR_CASE_FS)
	EXO_ERRORS(ERROR_CASE_EXO)
	default:
		return "unknown error";
	}
}
