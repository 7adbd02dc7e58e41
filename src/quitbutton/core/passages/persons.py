"""Who a passage speaks of: the author, in the first person, or whoever is spoken to. Generous: doubt reads for a "
"crisis."""

from __future__ import annotations

import re

_WORDS = {
    "en": r"i|i'?m|i'?ve|i'?ll|i'?d|i’\w+|me|my|myself|mine|gonna|wanna|goodbye|farewell|forgive|sorry|want to|"
    "can'?t|tired of|done with",
    "de": r"ich|mich|mir|mein\w*|abschied\w*|verzeih\w*|kann nicht|will nicht|will nur",
    "fr": r"je|moi|me|mon|ma|mes|adieu|j|m|pardonn\w*",
    "es": r"yo|me|m[ií]|mis|conmigo|quiero|puedo|soy|estoy|tengo|siento|voy|adi[oó]s|perd[oó]n\w*",
    "it": r"io|mi|me|mio|mia|miei|mie|voglio|posso|sono|ho|sto|vado|sento|addio",
    "pt": r"eu|me|mim|meu|minha|meus|minhas|quero|posso|sou|estou|tenho|vou|sinto|adeus|desculp\w*",
    "nl": r"ik|mij|mijn|me|vaarwel",
    "pl": r"ja|mnie|mi|m[oó]j|moj\w*|chc[eę]|mog[eę]|jestem|mam|b[eę]d[eę]|żegnaj\w*|przepraszam",
    "tr": r"ben|beni|bana|benim|bende|\w{2,12}(?:yorum|acağım|eceğim|dım|dim|dum|düm)|hoşça kal\w*|elveda",
    "ru": r"я|меня|мне|мной|мо[йяеёию]\w{0,3}|хочу|могу|буду|прощай\w*|простите",
    "uk": r"мене|мені|мною|мій|моя|моє|мої\w*|можу|прощавай\w*|пробач\w*",
}
_UNSPACED = (
    "私|僕|俺|わたし|ぼく|おれ|あたし|自分|たい|さようなら|ごめん|"
    "나는|내가|나를|나도|저는|제가|저를|싶|미안|안녕히|못 하겠|못하겠|"
    "我|想|咱|再见|再見|对不起|"
    "أنا|انا|أريد|اريد|نفسي|وداعا|حياتي|لي\\b|ني\\b"
)
FIRST = re.compile(rf"(?<!\w)(?:{'|'.join(_WORDS.values())})(?!\w)|{_UNSPACED}")
SECOND = re.compile(
    r"(?<!\w)(?:you\w*|u|ur|kill yourself|du|dich|dir|dein\w*|tu|toi|te|vous|ti|tú|você|jij|je|jou|cię|ciebie|ty|"
    r"sen|seni|"
    r"ты|тебя|тебе|ти|тебе)(?!\w)|お前|あなた|너|당신|你|您|أنت|انت"
)


def is_first_person(text: str) -> bool:
    """True where lower-case text may be about who wrote it."""
    return bool(FIRST.search(text))


def is_second_person(text: str) -> bool:
    """True where lower-case text speaks to somebody."""
    return bool(SECOND.search(text))
