"""Formats by the name that settings give them."""

from __future__ import annotations

from quitbutton.assessors.judging.format import Format
from quitbutton.assessors.judging.gpt_oss_safeguard import Safeguard
from quitbutton.assessors.judging.granite_guardian import GraniteGuardian3, GraniteGuardian4, GraniteGuardian33
from quitbutton.assessors.judging.instruct import Instruct
from quitbutton.assessors.judging.llama_guard import LlamaGuard
from quitbutton.assessors.judging.moderation import Moderation
from quitbutton.assessors.judging.shieldgemma import ShieldGemma
from quitbutton.core.judges import JudgeFormat

FORMATS: dict[JudgeFormat, Format] = {
    JudgeFormat.LLAMA_GUARD: LlamaGuard(),
    JudgeFormat.SHIELDGEMMA: ShieldGemma(),
    JudgeFormat.GRANITE_GUARDIAN_3: GraniteGuardian3(),
    JudgeFormat.GRANITE_GUARDIAN_3_3: GraniteGuardian33(),
    JudgeFormat.GRANITE_GUARDIAN_4: GraniteGuardian4(),
    JudgeFormat.GPT_OSS_SAFEGUARD: Safeguard(),
    JudgeFormat.INSTRUCT: Instruct(),
    JudgeFormat.MODERATION: Moderation(),
}
