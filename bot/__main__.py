"""The command line. Only what `--help` needs is imported here: it has to be there at once."""

import argparse
import re
import sys
from collections.abc import Sequence

from bot import __version__

EPILOG = """\
settings come from the environment and from the file .env; .env.example explains each of them.
exit codes: 0 done, 1 failed, 2 not understood, 78 something in the settings has to be changed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and answer its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.program is None:
        parser.print_help()
        return 0
    from bot.programs import run  # noqa: PLC0415  # everything else, which takes its time

    return run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="storyforge",
        description="Tell a branching story together, on your own machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"StoryForge {__version__}")
    programs = parser.add_subparsers(dest="program", metavar="program", title="programs")
    _add_play(programs)
    programs.add_parser("serve", help="tell stories on every chat platform that is set up, such as Discord")
    programs.add_parser("worker", help="write scenes for the programs that use the same database")
    programs.add_parser("migrate", help="bring the database's tables up to date")
    backup = programs.add_parser("backup", help="write all stories into one file")
    backup.add_argument("file", help="the file to make; one that exists is left alone")
    restore = programs.add_parser("restore", help="read a backup into an empty database")
    restore.add_argument("file", help="a file made by backup")
    workflows = programs.add_parser("workflows", help="look what your ComfyUI can paint with, and what it lacks")
    workflows.add_argument("deed", choices=("check",), help="check: look at every workflow on every server")
    _add_art(programs)
    doctor = programs.add_parser("doctor", help="look whether everything is there, and say what to do where it is not")
    doctor.add_argument("--json", action="store_true", help="report as one JSON object")
    return parser


def _add_play(programs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    play = programs.add_parser("play", help="play in this terminal; lines from a pipe or file are played one by one")
    play.add_argument(
        "--as", dest="name", metavar="NAME", type=_name, help="how you are called; else as your system calls you"
    )
    play.add_argument(
        "--room", default="main", type=_room, help="another screen of your own, with its own place in a story"
    )
    play.add_argument("--storyteller", choices=("auto", "ollama", "offline"), help="instead of what STORYTELLER says")
    play.add_argument("--pictures", action="store_true", help="try pictures out: cards where there is no ComfyUI")
    play.add_argument("--json", action="store_true", help="show every event and reply as one line of JSON")


def _add_art(programs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    art = programs.add_parser("art", help="take pictures of a directory in, as the looks of people, places and things")
    art.add_argument("deed", choices=("scan",), help="scan: say by the names of files whose pictures they are")
    art.add_argument("directory", metavar="DIR", help="where they are, and in directories below it")
    art.add_argument("--story", type=int, metavar="N", help="for which story; may be left out where there is one")
    art.add_argument("--apply", action="store_true", help="take them in; without this nothing is changed")


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not re.fullmatch(r"[^@:/\x00-\x1f]{1,40}", name):
        raise argparse.ArgumentTypeError("a name has 1 to 40 characters, and no @, : or / among them")
    return name


def _room(text: str) -> str:
    if not re.fullmatch(r"\w[\w-]{0,39}", text):
        raise argparse.ArgumentTypeError("a room's name is made of letters, digits and dashes")
    return text


if __name__ == "__main__":
    sys.exit(main())
