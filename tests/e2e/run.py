# SPDX-License-Identifier: MIT
"""run.py - `make run` and its neighbours as README says them, judged by what make returns.
"""

import re

import scenario


@scenario.test("run_exit")
def run_exit(run):
    """`exit` powers off and make returns 0; the banner came, the help too."""
    done = run.make_run(b"help\nexit\n")
    run.check(done.returncode == 0, f"make run ended with {done.returncode}")
    run.check(re.search(r"\bhexdump\b", run.clean(done.stdout)), "help was not shown")


@scenario.test("run_end_of_input")
def run_end(run):
    """The end of input acts as `exit`, also without a last newline and with no input at all."""
    done = run.make_run(b"hash /nothing")
    run.check(done.returncode == 0, f"make run ended with {done.returncode}")
    run.check("/nothing" in run.clean(done.stdout), "the last line without newline was not run")
    done = run.make_run(b"")
    run.check(done.returncode == 0, f"make run without input ended with {done.returncode}")


@scenario.test("run_panic")
def run_panic(run):
    """A panic makes make run fail, soon."""
    done = run.make_run(b"exit\n", BOOT="panic=boot")
    run.check(done.returncode != 0, "make run returned 0 after a panic")
    run.check("exo: panic" in run.clean(done.stdout), "no last words")


@scenario.test("run_variables")
def run_variables(run):
    """MEM, SMP and BOOT do what they say."""
    done = run.make_run(b"mem\nexit\n", MEM="128M", SMP="3", BOOT="word-of-the-caller")
    text = run.clean(done.stdout)
    run.check(done.returncode == 0, f"make run ended with {done.returncode}")
    run.check(re.search(r"\b3 CPUs", text), "the banner does not show 3 CPUs")
    run.check("word-of-the-caller" in text, "init did not see the boot line")


@scenario.test("run_missing_file")
def run_missing(run):
    """A DIR, DISK or APP that does not exist is an error in words, before anything boots."""
    for name in ("DIR", "DISK", "APP"):
        done = run.make_run(b"exit\n", **{name: "/nonexistent/thing"})
        run.check(done.returncode != 0, f"make run {name}=/nonexistent/thing returned 0")
        run.check(b"/nonexistent/thing" in done.stdout, f"{name}: the file is not named")


@scenario.test("own_libos", timeout=150.0)
def own_libos(run):
    """The example libOS of the documentation builds, boots by APP= and ends by its own word."""
    found = sorted((run.context.repo / "docs" / "own-libos").glob("*.c"))
    if not found:
        run.fail("docs/own-libos holds no program")
    name = found[0].stem
    elf = run.context.build / "bin" / f"{name}.elf"
    done = run.make_run(b"", APP=elf)
    run.check(done.returncode == 0, f"make run APP={elf} ended with {done.returncode}")


@scenario.test("help_and_doctor")
def help_and_doctor(run):
    """`make help` lists the targets; `make doctor` speaks of QEMU."""
    text = run.clean(run.build("help"))
    for target in ("run", "run-disk", "image", "iso", "debug", "doctor", "test", "bench", "check"):
        run.check(re.search(rf"\b{target}\b", text), f"make help does not name {target}")
    run.check("qemu" in run.clean(run.build("doctor")).lower(), "make doctor does not speak of QEMU")


@scenario.test("image_is_reproducible", timeout=240.0)
def reproducible(run):
    """The disk image is equal to the byte when it is made again at another time, elsewhere."""
    run.need("mformat", "sgdisk")
    with run.context.make_lock:
        run.build("image")
        first = (run.context.build / "exo.img").read_bytes()
        other = run.file("elsewhere")
        run.command([run.context.make, "image", f"O={other}", "NOINSTALL=1"], good=(0,))
        second = (other / "exo.img").read_bytes()
    differing = sum(a != b for a, b in zip(first, second)) + abs(len(first) - len(second))
    run.check(differing == 0, f"{differing} bytes differ")
    run.command(["rm", "-rf", other])
