"""`quitbutton`: the commands and their help. Each command's code is imported only when it is run."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from quitbutton import __version__
from quitbutton.core.errors import QuitbuttonError

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""NumPy's small products run on the thread that asks: helpers on other cores cost more than they save, and stall a process
that has one core. Read when NumPy is first imported, which no command has done yet."""

COMMANDS = {
    "serve": "start the gateway and the chat page",
    "chat": "chat in the terminal with a running gateway",
    "keys": "make, list and revoke API keys of clients, operators and auditors",
    "erase": "erase what a user said, or what was said in a conversation",
    "audit": "write out the audit trail, verify it offline, check the database against it",
    "store": "move an installation to another database, SQLite or PostgreSQL",
    "policy": "check a policy file, or show the policy in force",
    "assess": "read conversations as JSON lines, say what an assessor sees in them",
    "simulate": "replay recorded conversations through the guard under a policy",
    "mcp": "offer the button's tools to an MCP client, which cannot enforce them",
    "setup": "fetch the embedded model, once",
    "doctor": "see whether this machine can run the embedded default, and what to do if not",
}


def parser() -> argparse.ArgumentParser:
    """The parser of the command line, without the commands' own arguments."""
    lines = "\n".join(f"  {name:<10}{text}" for name, text in COMMANDS.items())
    main = argparse.ArgumentParser(
        prog="quitbutton",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A quit button for any AI model, enforced.",
        epilog=f"commands:\n{lines}\n\n`quitbutton COMMAND --help` tells more of each.",
    )
    main.add_argument("--version", action="version", version=f"quitbutton {__version__}")
    main.add_argument("command", choices=list(COMMANDS), metavar="COMMAND", help="what to do, see below")
    main.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return main


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its exit status: 0 when all is well, 1 when not, 2 when the command line is off."""
    told = sys.argv[1:] if arguments is None else arguments
    given = parser().parse_args(told or ["--help"])
    command = import_module(f"quitbutton.cli.{given.command}")
    own = argparse.ArgumentParser(
        prog=f"quitbutton {given.command}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=command.__doc__,
    )
    command.add_arguments(own)
    try:
        return int(command.run(own.parse_args(given.rest)))
    except QuitbuttonError as error:
        print(f"quitbutton: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
