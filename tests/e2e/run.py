# SPDX-License-Identifier: MIT
"""run.py - `make run` and its neighbours as README says them, judged by what make returns.
"""

import re
import shutil

import scenario
import xxh64


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
    text = run.clean(done.stdout)
    run.check("ended with code" not in text, "the program says that its own checks failed")
    run.check("1024 faults, sum 48038258586419200" in text, "the program did not say its result")


@scenario.test("help_and_doctor")
def help_and_doctor(run):
    """`make help` lists the targets; `make doctor` speaks of QEMU."""
    text = run.clean(run.build("help"))
    for target in ("run", "run-disk", "image", "iso", "debug", "doctor", "test", "bench", "check"):
        run.check(re.search(rf"\b{target}\b", text), f"make help does not name {target}")
    run.check("qemu" in run.clean(run.build("doctor")).lower(), "make doctor does not speak of QEMU")


@scenario.test("run_program", timeout=150.0)
def run_program(run):
    """A program in the archive is started by the shell, in front and behind, and can be killed."""
    suite = run.context.build / "bin" / "suite.elf"
    done = run.make_run(b"run spin part spin &\nps\nkill 1\nps\nkill 1\nrun spin part nothing\nhelp\nexit\n",
                        MEMBERS=f"spin={suite}")
    run.check(done.returncode == 0, f"make run ended with {done.returncode}")
    said = [part.partition("\n") for part in run.clean(done.stdout).split("exo> ")[1:]]
    answers = [(line.strip(), text) for line, _, text in said]
    run.check([line for line, _ in answers][:7] == [
        "run spin part spin &", "ps", "kill 1", "ps", "kill 1", "run spin part nothing", "help"],
              f"the lines were {[line for line, _ in answers]}")
    counts = [len(answers[n][1].splitlines()) for n in (1, 3)]
    run.check(counts[0] == counts[1] + 1, f"ps showed {counts[0]} lines with the program, {counts[1]} after")
    run.check(answers[4][1].strip(), "killing what is gone is no error")
    run.check(not re.search(r"ended with code|fault", answers[5][1]), f"the run said {answers[5][1]!r}")
    run.check("hexdump" in answers[6][1], "the shell did not go on")


@scenario.test("program_from_disk", timeout=120.0)
def from_disk(run):
    """A program in the folder given as DIR is run by its path."""
    folder = run.file("mine")
    folder.mkdir(exist_ok=True)
    shutil.copyfile(run.context.build / "bin" / "own.elf", folder / "own.elf")
    done = run.make_run(b"run /own.elf\nrun /nothing.elf\nexit\n", DIR=folder)
    text = run.clean(done.stdout)
    run.check(done.returncode == 0, f"make run ended with {done.returncode}")
    answers = [part.partition("\n") for part in text.split("exo> ")[1:]]
    run.check(re.search(r"1024 pages through 16 frames", answers[0][2]),
              f"run /own.elf said {answers[0][2]!r}")
    run.check("nothing.elf" in answers[1][2], f"run /nothing.elf said {answers[1][2]!r}")


@scenario.test("default_disk", timeout=120.0)
def default_disk(run):
    """Without DIR the disk holds the project's own documents, as they are here."""
    done = run.make_run(b"hash -r docs\n")
    run.check(done.returncode == 0, f"make run ended with {done.returncode}")
    seen = dict(reversed(x) for x in
                re.findall(r"(?m)^([0-9a-f]{16})  /?(docs/.*)$", run.clean(done.stdout)))
    run.check("docs/testing.md" in seen, f"docs/testing.md is not among the {len(seen)} files")
    for path, value in seen.items():
        found = run.context.repo / path
        run.check(found.exists(), f"{path} is on the disk, but not here")
        run.check(f"{xxh64.xxh64(found.read_bytes()):016x}" == value, f"{path} differs")


@scenario.test("run_disk", timeout=120.0)
def run_disk(run):
    """`make run-disk` boots the image through a pipe."""
    command = [run.context.make, "run-disk", f"O={run.context.build}", "NOINSTALL=1"]
    with run.context.make_lock:
        done = run.command(command, stdin=b"help\nexit\n")
    run.check(done.returncode == 0, f"make run-disk ended with {done.returncode}")
    run.check(re.search(r"\bhexdump\b", run.clean(done.stdout)), "help was not shown")


@scenario.test("readme_commands")
def readme(run):
    """Every `make` command in a shell block of README.md names targets that exist."""
    path = run.context.repo / "README.md"
    run.check(path.exists(), "there is no README.md")
    blocks = re.findall(r"(?ms)^```(?:sh|console)?\n(.*?)^```|((?:^    .*\n)+)", path.read_text())
    lines = [x.strip().removeprefix("$ ").split("#")[0] for a, b in blocks for x in (a or b).splitlines()]
    commands = [x.split() for x in lines if re.match(r"make( [\w=./-]+)*\s*$", x)]
    run.check(len(commands) >= 2, f"only {len(commands)} make commands in README.md")
    rules = run.command([run.context.make, "-rpn", "help", f"O={run.context.build}"]).stdout.decode()
    targets = set(re.findall(r"(?m)^([\w-]+):(?!=)", rules))
    for words in commands:
        for target in (w for w in words[1:] if "=" not in w):
            run.check(target in targets, f"README: no target {target}")


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
