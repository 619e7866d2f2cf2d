#!/bin/sh
# SPDX-License-Identifier: MIT
# servers.sh NAME=VERSION[,VERSION...]... - fetch web servers of Debian, which httpd is measured beside.
#
# Any user may run it (apt.sh); nothing is installed.  Each NAME is a package whose server is
# /usr/sbin/NAME or /usr/bin/NAMEd; accepted are the upstream VERSIONs named.
# build/src/servers/root is what Linux's initramfs gets of them: the servers, the modules of theirs
# that are asked for below, the shared libraries that these need, and the program that loads them.
# build/src/servers/versions says what there is; build/src/servers.ok says it is whole.  What is
# there already is not fetched.
set -u
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
. "${0%/*}/apt.sh"
src=${SRC:-build/src}
modules='usr/lib/lighttpd/mod_staticfile.so'    # where the server does not have it built in
lib=lib/x86_64-linux-gnu

there() {
	[ -e "$src/servers.ok" ] && [ -d "$src/servers/root" ]
}

needs() {       # needs PACKAGE: the libraries among the packages it depends on, the first of each choice
	apt-cache show --no-all-versions "$1" 2> /dev/null |
		sed -n 's/^\(Pre-\)\{0,1\}Depends: *//p' | tr ',' '\n' |
		sed -n 's/^ *\(z\{0,1\}lib[^ |(:]*\).*/\1/p'
}

closure() {     # closure PACKAGE...: these and the libraries that they need, and those need
	found=
	while [ $# -gt 0 ]; do
		case " $found " in
		*" $1 "*) ;;
		*)	found="$found $1"
			set -- "$@" $(needs "$1") ;;
		esac
		shift
	done
	echo "$found"
}

take() {        # take FILE: into root, by its path in the packages' tree
	mkdir -p "$work/out/root/${1%/*}" && cp -L "$work/tree/$1" "$work/out/root/$1"
}

library() {     # library NAME: into root's one folder of libraries, if it is not there yet
	[ ! -e "$work/out/root/$lib/$1" ] || return 1
	file=$(find "$work/tree" -name "$1" | head -n 1)
	[ -n "$file" ] || fail "$1, which a server needs, is in none of the packages"
	mkdir -p "$work/out/root/$lib" && cp -L "$file" "$work/out/root/$lib/$1"
}

libraries() {   # libraries FILE...: all that these need, and those need
	while [ $# -gt 0 ]; do
		for needed in $(objdump -p "$work/out/root/$1" | sed -n 's/^ *NEEDED *//p'); do
			case $needed in
			ld-linux*) ;;
			*)	! library "$needed" || set -- "$@" "$lib/$needed" ;;
			esac
		done
		shift
	done
}

server() {      # server NAME VERSIONS: check its version, and take it
	version=$(dpkg-deb -f "$(ls "$work/$1"_*.deb)" Version)
	versions=$(echo "$2" | tr ',' ' ')
	accepted "${version#*:}" ||
		fail "$1 $version is in Debian's archive here; this was tried with $versions only"
	for path in "usr/sbin/$1" "usr/bin/${1}d" ''; do
		[ ! -f "$work/tree/$path" ] || break
	done
	[ -n "$path" ] || fail "there is no server in the package $1"
	take "$path" || exit 1
	echo "$1 $version /$path" >> "$work/out/versions"
	libraries "$path"
}

there && exit 0
mkdir -p "$src" || fail "cannot write to $src"
exec 9> "$src/.linux.lock" || fail "cannot write to $src"
flock 9
there && exit 0

need_tools apt-get:apt dpkg-deb:dpkg objdump:binutils
names=
for pair in "$@"; do
	names="$names ${pair%%=*}"
done
name=${names# }
echo "fetching the Debian packages$names"
apt_prepare apt-linux deb
work=$src/.servers.new
rm -rf "$work"
mkdir -p "$work/tree" "$work/out/root/lib64" || exit 1
(cd "$work" && apt-get download $(closure $names)) >> "$log" 2>&1 ||
	fail "they could not be fetched: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log")"
for deb in "$work"/*.deb; do
	dpkg-deb -x "$deb" "$work/tree" || fail "$deb could not be unpacked"
done
loader=$(find "$work/tree" -name 'ld-linux-x86-64.so.2' | head -n 1)
cp -L "$loader" "$work/out/root/lib64/" || fail "there is no program loader in libc6"
for pair in "$@"; do
	server "${pair%%=*}" "${pair#*=}"
done
for file in $modules; do
	[ ! -f "$work/tree/$file" ] || { take "$file" && libraries "$file"; } || exit 1
done
rm -rf "$src/servers"
mv "$work/out" "$src/servers" || exit 1
rm -rf "$work"
cp "$src/servers/versions" "$src/servers.ok"
echo "  $(cut -d' ' -f1,2 "$src/servers/versions" | tr '\n' ',' | sed 's/,$//; s/,/, /g') in $src/servers"
