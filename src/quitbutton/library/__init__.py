"""The gateway's guard around a callable of this process. See `Guard`."""

from quitbutton.library.answer import Answer
from quitbutton.library.guard import Guard
from quitbutton.library.stream import Stream

__all__ = ["Answer", "Guard", "Stream"]
