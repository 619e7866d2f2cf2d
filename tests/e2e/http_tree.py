# SPDX-License-Identifier: MIT
"""http_tree.py - every file of a generated disk by HTTP, byte for byte, by its link and by its path."""

import collections
import os
import random
import urllib.parse

import net
import qemu
import scenario
import served
import web
import webtree


def walk(run, tree):
    """All links of all indexes, from the root on: {path: target} of what the folders hold."""
    found, folders = {}, collections.deque([("/", b"")])
    with web.Connection(run.port) as link:
        while folders:
            target, path = folders.popleft()
            answer = link.get(target)
            run.check(answer.status == 200, f"index of {path!r}: {answer}")
            run.check(answer.header("content-type").startswith("text/html"), f"{path!r}: {answer}")
            for name, link_target in entries(run, answer.body, target, path):
                full = path + b"/" * bool(path) + name
                run.check(full not in found, f"{full!r} stands twice in the indexes")
                found[full] = link_target
                if full in tree.folders:
                    folders.append((link_target, full))
    return found


def entries(run, page, target, path):
    """(name, absolute target) of an index's entries."""
    for href in web.Links(page).targets:
        whole = urllib.parse.urljoin(f"http://exo{target}", href)
        run.check(whole.startswith("http://exo/"), f"index of {path!r} leads away: {href!r}")
        absolute = whole[len("http://exo"):]
        run.check("?" not in absolute and "#" not in absolute, f"{path!r}: {href!r} is not escaped")
        name = urllib.parse.unquote_to_bytes(absolute[len(target):]).rstrip(b"/")
        if absolute.startswith(target) and name:        # not the folder above, nor this one
            yield name, absolute


def fetch(run, targets):
    """GET all targets with one curl; {target: content}.  All must be 200."""
    config, names = run.file("curl.config"), {}
    store = run.file("got")
    store.mkdir(exist_ok=True)
    with open(config, "w", encoding="ascii") as file:
        for number, target in enumerate(targets):
            names[target] = store / str(number)
            file.write(f'url = "http://127.0.0.1:{run.port}{target}"\noutput = "{names[target]}"\n')
    done = run.command(["curl", "-q", "-s", "-S", "--path-as-is", "-g", "-m", "200", "-K", config, "-w",
                        "%{http_code} %{num_connects} %{url_effective}\\n"])
    said = [line.split(" ", 2) for line in done.stdout.decode().splitlines()]
    bad = [line for line in said if line[0] != "200"]
    run.check(not bad, f"{len(bad)} of {len(names)} not given out, first: {' '.join(bad[0]) if bad else ''}")
    run.check(done.returncode == 0 and len(said) == len(names), f"curl ended with {done.returncode}")
    opened = sum(int(line[1]) for line in said)
    run.check(opened <= 1 + len(names) // 50, f"{opened} connections for {len(names)} requests")
    got = {target: path.read_bytes() for target, path in names.items()}
    run.command(["rm", "-rf", store], good=(0,))
    return got


def compare(run, got, expected, way):
    """Each content as it should be."""
    wrong = [t for t, data in expected.items() if got[t] != data]
    if wrong:
        at = next((i for i, (a, b) in enumerate(zip(got[wrong[0]], expected[wrong[0]])) if a != b), "the end")
        run.fail(f"{len(wrong)} files differ by their {way}, first: {wrong[0]}, {len(got[wrong[0]])} of "
                 f"{len(expected[wrong[0]])} bytes, differs from {at}")


def check_links(run, tree):
    """Symbolic links are followed inside the disk, and nowhere else."""
    expected = {webtree.url(name): tree.files[end] for name, end in webtree.FOLLOWED.items()}
    expected["/link-folder/inner%20folder/file"] = tree.files[b"folder/inner folder/file"]
    compare(run, fetch(run, expected), expected, "symbolic link")
    for name in webtree.NOWHERE:
        answer = web.get(run.port, webtree.url(name))
        run.check(answer.status in (403, 404), f"{name!r}, which leads nowhere: {answer}")
    for name in [*tree.special, b"link-special"]:
        answer = web.get(run.port, webtree.url(name))
        run.check(answer.status == 403, f"{name!r}, which is no file: {answer}")


def check_folders(run, tree):
    """A folder without its slash leads to the one with it; a file with a slash is none."""
    with web.Connection(run.port) as link:
        for folder in tree.folders[1:]:
            answer = link.get(webtree.url(folder))
            where = urllib.parse.urljoin("http://exo" + webtree.url(folder), answer.header("location"))
            run.check(answer.status in (301, 302, 307, 308) and where == f"http://exo{webtree.url(folder)}/",
                      f"{folder!r} without a slash: {answer}")
        run.check(link.get("/plain.txt/").status == 404, "/plain.txt/ is not refused")
        run.check(link.get("/plain.txt/x").status == 404, "/plain.txt/x is not refused")


def check_ways_out(run, tree):
    """No spelling of `..` leaves the disk; several spellings of a path are one."""
    for target in ("/../plain.txt", "/%2e%2e/%2e%2e/plain.txt", "/folder/../plain.txt", "//plain.txt",
                   "/./plain.txt", "/folder//..//plain.txt", "/%70lain.tx%74"):
        answer = web.get(run.port, target)
        inside = answer.status == 200 and answer.body == tree.files[b"plain.txt"]
        refused = answer.status in (301, 308, 400, 403, 404)
        run.check(inside or refused, f"{target}: {answer}")
    answer = web.get(run.port, "/folder/../plain.txt")
    run.check(answer.status in (200, 301, 308), f"/folder/../plain.txt: {answer}")
    for target in ("/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd",
                   "/folder/../../../../etc/passwd", "/%00", "/plain.txt%00", "/plain.txt%00.html",
                   "/%", "/%4", "/%zz"):
        answer = web.get(run.port, target)
        run.check(answer.status in (400, 403, 404), f"{target}: {answer}")


@scenario.test("http_tree", timeout=200.0, blocks=1024)
@scenario.test("http_tree_4k_blocks", timeout=200.0, blocks=4096)
def http_tree(run, blocks):
    """Every file, by the links of the indexes and by its path; links, special files, `..`."""
    run.need("mke2fs", "curl")
    tree = webtree.made(run, blocks)
    image = tree.image(run, "-b", blocks)
    with served.machine(run, net.user_card(run), image, memory="128M") as box:
        found = walk(run, tree)
        everything = {*tree.files, *tree.special, *tree.folders[1:], *(n for n, _, _ in webtree.LINKS)}
        everything |= {b"link-folder"}
        missing, extra = everything - set(found), set(found) - everything - {b"lost+found"}
        run.check(not missing, f"{len(missing)} names in no index, first: {sorted(missing)[:3]}")
        run.check(not extra, f"{len(extra)} names that do not exist, first: {sorted(extra)[:3]}")
        by_link = {found[path]: data for path, data in tree.files.items()}
        compare(run, fetch(run, by_link), by_link, "link")
        by_path = {webtree.url(path): data for path, data in tree.files.items()}
        compare(run, fetch(run, by_path), by_path, "path")
        check_links(run, tree)
        check_folders(run, tree)
        check_ways_out(run, tree)
        box.send("exit\r")
        run.end(box, qemu.POWER_OFF)
    os.unlink(image)
    run.command(["rm", "-rf", run.file("root")], good=(0,))


@scenario.test("http_no_disk")
def no_disk(run):
    """Without a disk the web server says so in words."""
    with served.machine(run, net.user_card(run)) as box:
        for target in ("/", "/plain.txt"):
            answer = web.get(run.port, target)
            run.check(answer.status == 503, f"{target} without a disk: {answer}")
            run.check(b"disk" in answer.body.lower(), f"no word on the disk: {answer}")
        box.send("exit\r")
        run.end(box, qemu.POWER_OFF)


@scenario.test("http_foreign_disk")
def foreign_disk(run):
    """A disk that is no ext2: the same."""
    image = run.file("disk.img")
    image.write_bytes(random.Random(5).randbytes(2 << 20))
    with served.machine(run, net.user_card(run), image) as box:
        answer = web.get(run.port, "/")
        run.check(answer.status == 503 and answer.body, f"/ of a foreign disk: {answer}")
        box.send("exit\r")
        run.end(box, qemu.POWER_OFF)
