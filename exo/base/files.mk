# SPDX-License-Identifier: MIT
# Portable functions that kernel, loader, libraries and host tools share.
base-src := exo/base/string.c exo/base/format.c exo/base/hash.c exo/base/popcount.c
