#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh - what can be checked without running: layers, layout, docs/abi.md, cppcheck, the other
# compiler.
#
# All checks run; 1 if one of them failed, and its name in the last line.
set -u
out=${O:-build}
cc=${CC:-gcc}
failed=

check() {       # check NAME COMMAND...
	name=$1
	shift
	echo "check: $name"
	"$@" || failed="$failed $name"
}
# False alarms of cppcheck 2.10 and 2.17 are suppressed by kind and file: it does not see what functions
# of other files write, nor that labels of one section are one object.  It does not take _Noreturn from
# a prototype, so it is told the names; names of registers (asm("r10")) are hidden from 2.17.
noreturn() {
	echo '<?xml version="1.0"?><def format="2">'
	grep -rhoE '_Noreturn[^(;]*\(' $1 --include='*.[ch]' | sed 's/(//; s/.*[ *]//' | sort -u |
		sed 's|.*|<function name="&"><noreturn>true</noreturn></function>|'
	echo '</def>'
}
cpp() {
	folders=$(ls -d exo uefi libexos libfs libnet services bench 2> /dev/null)
	mkdir -p "$out"
	noreturn "$folders" > "$out/cppcheck.cfg"
	cppcheck --library="$out/cppcheck.cfg" --quiet --std=c11 --language=c --enable=warning,portability,performance \
		--inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem \
		--suppress=nullPointerArithmetic --suppress=comparePointers --suppress=checkLevelNormal \
		--suppress=normalCheckLevelMaxBranches '-D__asm__(...)=' \
		--suppress='preprocessorErrorDirective:/usr/*' --suppress='*:/usr/*' \
		--suppress=unknownMacro --suppress=arithOperationsOnVoidPointer -D__GNUC__=12 -D__x86_64__=1 -D__STDC_VERSION__=201112L \
		-D__SIZEOF_POINTER__=8 -j 2 \
		-Iexo/include -Iexo/base/include -Iexo -Ilibexos/include -Ilibfs/include -Ilibnet/include -Ilibnet/lwip/include \
		-Iservices/include \
		--suppress=uninitvar:services/console/main.c --suppress=uninitvar:services/console/uart.c \
		--suppress=uninitvar:exo/filter_find.c --suppress=uninitvar:libfs/ext2_file.c \
		--suppress=uninitvar:services/init/web.c \
		--suppress=va_end_missing:exo/x86/panic.c \
		--suppress=subtractPointers:exo/x86/smp.c --suppress=subtractPointers:uefi/pieces.c \
		--suppress=nullPointerRedundantCheck:exo/sched.c $folders
}
# Every test that a page names as `guest/NAME`, `host/NAME` or `e2e/NAME` exists.
named_tests() {
	wrong=0
	for test in $(grep -oE '`(guest|host|e2e)/[a-z0-9_]+`' "$1" | tr -d '\140' | sort -u); do
		case $test in
		guest/*) grep -rqE "^EXO_TEST\(${test#*/}," tests/guest tests/evil 2> /dev/null ;;
		host/*)  ls "tests/$test".[cp]* > /dev/null 2>&1 ;;
		*)       grep -rqE "(scenario\.test|session)\(\"${test#*/}\"" tests/e2e tests/boot ;;
		esac || { echo "$1 names $test, which does not exist"; wrong=1; }
	done
	return $wrong
}
other() {
	case $cc in
	*clang*) set -- gcc ;;
	*)       set -- clang ;;
	esac
	if ! command -v "$1" > /dev/null; then
		echo "$1 is not installed (make deps): not built with it"
		return 0
	fi
	"${MAKE:-make}" --no-print-directory CC="$1" O="$out/$1" all
}

check layers sh tools/layers.sh "$out"
check format sh tools/format.sh
check abi.md python3 tools/abi.py --check
check security.md named_tests docs/security.md
check figures python3 bench/figures.py --check
if command -v cppcheck > /dev/null; then
	check cppcheck cpp
else
	echo 'cppcheck is not installed (make deps): left out'
fi
check compiler other
if [ -n "$failed" ]; then
	echo "check: failed:$failed"
	exit 1
fi
echo 'check: all passed'
