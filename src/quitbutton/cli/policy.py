"""Check a policy file, or show the policy: every key with its value, as TOML, and its digest.

quitbutton policy check FILE    0 when the file is sound; else the key that is not, and what is allowed
quitbutton policy show [FILE]   the defaults, or the policy of a file with its missing keys filled in
"""

from __future__ import annotations

import argparse
from pathlib import Path

from quitbutton.core.ladder.policy import Policy
from quitbutton.settings.installation import load_policy, policy_toml


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "what", choices=["check", "show"], metavar="{check,show}", help="check a file, or show a policy"
    )
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="policy file (TOML)")


def run(given: argparse.Namespace) -> int:
    """Check or show."""
    if given.what == "check" and given.file is None:
        print("quitbutton policy check needs a FILE.")
        return 2
    policy = load_policy(given.file) if given.file else Policy()
    if given.what == "check":
        print(f"{given.file} is a sound policy, digest {policy.digest}")
    else:
        print(f"# digest {policy.digest}\n{policy_toml(policy)}", end="")
    return 0
