"""A quit button for any AI model, enforced. `Guard` is the library; `quitbutton serve` is the gateway."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quitbutton.core.errors import BadRequest, PolicyError, QuitbuttonError, SettingsError, UpstreamFailed
    from quitbutton.core.ladder.policy import Policy
    from quitbutton.library import Answer, Guard, Stream
    from quitbutton.turn.tell import ConversationEnded, ConversationWarned

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "BadRequest",
    "ConversationEnded",
    "ConversationWarned",
    "Guard",
    "Policy",
    "PolicyError",
    "QuitbuttonError",
    "SettingsError",
    "Stream",
    "UpstreamFailed",
    "__version__",
]

_HOMES = {
    "quitbutton.library": ("Answer", "Guard", "Stream"),
    "quitbutton.turn.tell": ("ConversationEnded", "ConversationWarned"),
    "quitbutton.core.ladder.policy": ("Policy",),
    "quitbutton.core.errors": ("BadRequest", "PolicyError", "QuitbuttonError", "SettingsError", "UpstreamFailed"),
}
"""Where the public names live. They are imported when they are first asked for: `import quitbutton` stays instant."""


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'quitbutton' has no attribute {name!r}")
