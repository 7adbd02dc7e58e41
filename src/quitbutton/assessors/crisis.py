"""The crisis rules that stand beside the learned head: plain signs of danger that no model may miss.

They run on folded text (`normal.fold`), so they see through spacing, look-alikes and capitals. A rule that matches is
withdrawn where the same clause says that it is fiction, a figure of speech or a thing; doubt counts as a crisis.
What they find in a language that the model reads has to be borne out by it; elsewhere `plain` speaks alone.
"""

# ruff: noqa: E501 - a rule is read best on one line

from __future__ import annotations

import re
from collections.abc import Sequence

from quitbutton.assessors.plain import plain_statement

I = r"\b(?:i|i'm|im|i am|i'd|i've|ive|we)\b"  # noqa: E741 - reads as the word it stands for
GAP = r"[^.!?\n]{0,40}?"
PERSON = (
    r"(?:him|her|them|everyone|everybody|someone|somebody|people|all (?:the |those |of )?\w+|(?:every|any|these|those|the|a|an|my|his|our) (?:\w+ ){0,2}?"
    r"(?:wife|husband|boss|ex|mother|mom|mum|father|dad|stepdad|stepfather|brother|sister|son|daughter|baby|child|kids?|children|"
    r"girlfriend|boyfriend|partner|neighbou?rs?|teacher|classmates?|coworkers?|colleagues?|roommate|family|parents|kids|students|cops?|"
    r"women|woman|men|man|girls?|boys?|guys?|gays?|jews?|muslims?|immigrants?|refugees|foreigners|blacks?|whites?|bitch|bastards?))"
)
HURT = r"(?:kill|murder|stab|shoot|strangle|choke|beat up|hurt|attack|lynch|rape|poison|smother|slaughter|butcher|execute|gas)"
WILL = r"(?:will|'ll|am going to|'m going to|going to|gonna|want to|wanna|would love to|need to|have to|must|should|plan to|am about to|'m about to|intend to)"

SELF = (
    rf"{I}{GAP}\b(?:kill(?:ing)?|hang(?:ing)?|drown(?:ing)?|shoot(?:ing)?|hurt(?:ing)?|harm(?:ing)?|cut(?:ting)?|unalive|off|poison(?:ing)?) (?:myself|my self|my wrists?|my arms?|my thighs?)\b",
    r"\b(?:kill|killing|kms|harm|harming|hurt|hurting|cutting|hanging) myself\b",
    rf"{I}{GAP}\b(?:want|wanna|wish|going|gonna|ready|plan|planning|decided|need|hope|rather|prefer|deserve|like)\b(?: \w+)?? (?:to )?(?:just )?(?:die|be dead|end it all|end my life|end my own life|take my (?:own )?life|jump off|never wake up|not wake up|not exist)\b(?! (?:for|of|laughing|from laughing|trying|in (?:the|this|a|my) (?:game|story|novel|level)))",
    r"\bend(?:ing)? (?:my (?:own )?life|it all)\b|\btak(?:e|ing) my (?:own )?life\b",
    r"\b(?:don'?t|do not|didn'?t|no longer|never) (?:really |even )?(?:want|wanna|wish|care)\b(?: to| if i)? (?:be|being|to be|live|living|wake up|exist|go on|keep living|stay)\b ?(?:alive|living|here|like this|any ?more|on this earth)?(?: any ?more)?(?=$|[.!?,]| any| tonight| and| because| like)",
    r"\bi(?: just)? wish i (?:was|were|wasn'?t|weren'?t|had never been|could (?:just )?(?:not wake|die|disappear)|would (?:just )?die)(?: (?:dead|born|alive|here|never born))?(?: up)?\b(?=$|[.!?,]| any| so| and| for)",
    r"\b(?:no ?one|nobody|who|none of (?:them|you))(?: \w+)? (?:would|will|d|'d)? ?(?:even |ever |really )?(?:care|cares|notice|miss me|mind|cry)\b.{0,30}?\b(?:if i|when i|i'm|i am)\b.{0,20}?\b(?:die|died|dead|gone|disappear|disappeared|wasn'?t here|not here|kill)\b",
    r"\b(?:better off|happier|easier|relieved)\b.{0,20}?\b(?:without me|if i (?:was|were|am|'m) (?:dead|gone)|when i'?m (?:dead|gone))\b",
    r"\b(?:no|isn'?t any|not any|any) (?:point|reason|sense)(?: left)? (?:in|to|for me to) (?:living|live|being alive|be alive|stay alive|staying alive|going on|go on|keep living)\b|\bnothing (?:left )?to live for\b|\blife (?:is not|isn'?t|ain'?t) worth (?:living|it)\b",
    rf"{I}{GAP}\b(?:suicidal|committing suicide|commit suicide|attempted suicide|suicide attempt|suicide note|suicidal thoughts)\b",
    rf"{I}{GAP}\b(?:overdosed?|took (?:too many|all (?:of )?(?:my|the)|a whole bottle of|a bottle of)(?: \w+)? ?pills|swallowed{GAP}pills)\b",
    r"\b(?:goodbye|farewell) (?:letters?|notes?)\b.{0,40}\b(?:i wrote|i've written|done|ready)\b|\bi(?:'ve| have)? (?:wrote|written) my (?:goodbye|farewell|suicide)\b",
    r"\b(?:easiest|quickest|fastest|painless|least painful|best) (?:way|method) (?:for me )?to (?:die|kill myself|commit suicide|end my life|end it)\b",
    r"\bi (?:won'?t|will not) be (?:here|alive|around) (?:tomorrow|much longer|any ?more|next week|in the morning)\b",
    rf"{I}{GAP}\b(?:self[- ]?harm(?:ing|ed)?|cut(?:ting)? myself)\b",
    r"\b(?:can'?t|cannot) (?:go on|take it|do this|live like this)(?: like this)? any ?more\b",
)
DANGER = (
    r"\b(?:my (?:husband|boyfriend|wife|girlfriend|partner|dad|father|stepdad|stepfather|mother|mom|uncle|brother|ex)|he|she) (?:is |just |always |keeps? )?(?:beats?|hits?|hitting|beating|chokes?|choked|raped|rapes|strangled|molest\w*|touches) me\b",
    r"\b(?:he|she|they|someone|husband|boyfriend|dad|father|ex) (?:is |are )?(?:going to|will|wants? to|threaten\w* to|said (?:he|she|they) (?:will|would)) kill me\b",
    r"\bi (?:was|got|have been|'ve been) (?:just )?(?:raped|sexually assaulted|molested)\b",
    r"\b(?:my|a) (?:\w+ ){0,2}(?:friend|sister|brother|son|daughter|mom|mum|dad|wife|husband|girlfriend|boyfriend|roommate|kid|child|student|patient) (?:is |just |has |keeps |might be |said (?:he|she|they)(?:'s| is| are| will| wants?)? )?(?:\w+ )?(?:suicidal|overdosed|going to kill (?:him|her|them)sel\w+|wants? to (?:die|kill (?:him|her|them)sel\w+)|cutting (?:him|her|them)sel\w+|took (?:\w+ ){0,3}pills)\b",
)
THREAT = (
    rf"\bi(?:'m| am|'d| would)? ?{WILL} (?:\w+ ){{0,3}}?{HURT} (?:all (?:of )?)?{PERSON}\b",
    r"\bi(?:'ll| will|'m going to| am going to|'m gonna) (?:bring (?:a|my|the) (?:gun|knife|rifle) to|shoot up|blow up|burn down) (?:the |my |a |that )?(?:\w+ )?(?:school|church|mosque|synagogue|office|work|house|mall|place|class|building)\b",
    r"\b(?:all )?\w+(?: people)? (?:should|must|deserve to|need to|ought to|have to)(?: all)? (?:be (?:killed|shot|hanged|hung|gassed|exterminated|executed|lynched|murdered|beaten|burned|raped|wiped out|put down)|die)\b",
    rf"\b(?:want|wanna|going|gonna|like|love|urge) (?:to )?{HURT} (?:my|the|this) (?:baby|child|kids?|son|daughter|children|wife|husband|family)\b",
)
LANGUAGES = (
    r"\b(?:ich )?(?:will|möchte|mag) (?:nicht mehr leben|sterben|tot sein|mich umbringen|mir das leben nehmen)\b|\b(?:mich (?:\w+ ){0,3}umbringen|bringe mich um|selbstmord begehen|nicht mehr leben will)\b",
    r"\bje (?:veux|vais|voudrais|pense à|songe à) (?:mourir|me tuer|me suicider|en finir|ne plus vivre)\b|\bje ne veux plus vivre\b|\bj'ai envie de mourir\b",
    r"\b(?:quiero|voy a|deseo) (?:morir(?:me)?|matarme|suicidarme|acabar con mi vida)\b|\bno quiero (?:seguir )?(?:vivir|viviendo)\b|\bme quiero (?:morir|matar|suicidar)\b",
    r"\bvoglio (?:morire|uccidermi|ammazzarmi|suicidarmi|farla finita)\b|\bnon voglio più vivere\b",
    r"\b(?:quero|vou) (?:morrer|me matar|acabar com a minha vida)\b|\bnão quero mais viver\b",
    r"\b(?:я )?(?<!не )(?:хочу|хочется) (?:просто |уже )?(?:умереть|сдохнуть|покончить с собой|убить себя|повеситься)\b(?! от | со смеху)|\bне хочу (?:больше |уже )?жить\b(?=$|[.!?,]| больше| так)|\b(?:покончу с собой|убью себя)\b",
    r"\b[öo]lmek istiyorum\b|\bya[şs]amak istemiyorum\b(?=$|[.!?,]| art)|\bkendimi (?:[öo]ld[üu]r(?:mek istiyorum|ece[ğg]im|[üu]cem)|asaca[ğg][ıi]m)\b|\bintihar (?:etmek istiyorum|edece[ğg]im|edicem)\b|\bcan[ıi]ma k[ıi](?:ymak istiyorum|yaca[ğg][ıi]m)\b",
    r"\bik wil (?:dood|niet meer leven|mezelf (?:doden|van kant maken))\b|\b(?:chcę (?:umrzeć|się zabić)|nie chcę już żyć)\b",
)
SCRIPTS = (
    r"죽고 ?싶(?:어|다|습|은|네|지만)|자살하고 ?싶|(?:더 ?이상|이제) ?살고 ?싶지 ?않",
    r"(?:我|俺)(?:真的|好|很)?(?:想死(?!你)|不想活|想自[杀殺]|要自[杀殺]|想结束(?:自己的)?生命|想結束(?:自己的)?生命|活不下去)|结束(?:我的|自己的)生命",
    r"(?<!恥ずかしくて)死にたい(?!ほど|くらい|ぐらい|わけ)|自殺し(?:たい|ます|よう)|生きてい?たくない",
    r"(?<!ไม่)อยากตาย(?!เพราะ)|ไม่อยาก(?:มีชีวิตอยู่|อยู่)(?:ต่อ|แล้ว|อีก)|(?<!ไม่)(?:อยาก|จะ|คิด)ฆ่าตัวตาย",
    r"(?:أريد|اريد|أفكر في|سوف|أرغب في) ?(?:أن )?(?:أموت|اموت|الموت|الانتحار|أنتحر|انتحر|أقتل نفسي|إنهاء حياتي|أنهي حياتي)|لا أريد (?:أن )?(?:أعيش|العيش)|سأقتل نفسي|سأنتحر",
)
MARKS = re.compile(r"[.,;:!?…\n。、，；：！？]+")
WRITTEN = re.compile(r"\b(?:character|novel|story|scene|lyrics|song|screenplay|game)\b")
FIGURATIVE = re.compile(
    r"\b(?:novel|story|short story|screenplay|scene|chapter|character|fiction|fictional|lyrics?|song|movie|film|episode|game|level|boss fight|"
    r"minecraft|essay|thesis|lol|lmao|haha\w*|jk|just kidding|pun intended|from laughing|of laughter|embarrass\w+|process|server|terminal|docker)\b"
)


def _any_of(rules: Sequence[str], start: str = r"\b(?=\w)") -> re.Pattern[str]:
    """One pattern for all. Rules start with a word, which is looked for once and not for each of them."""
    return re.compile(start + "(?:" + "|".join(f"(?:{rule})" for rule in rules) + ")")


SIGNS = {
    "self": _any_of(SELF),
    "danger": _any_of(DANGER),
    "threat": _any_of(THREAT),
    "self-other-language": _any_of(LANGUAGES),
    "self-other-script": _any_of(SCRIPTS, start=""),
}
FIRM = re.compile(
    r"\b(?:kill(?:ing)? myself|i'?m serious|not (?:a )?(?:joke|joking|fiction)|end my life|i want to die|don'?t want to (?:live|be alive))\b"
)


ERRAND = re.compile(
    r"\b(?:book(?:ing)?|reserv\w+|tickets?|restaurants?|movies?|films?|theat(?:er|re)|flights?|hotels?|rooms?|bedrooms?|apartment|salon|appointment|"
    r"dentist|bus|train|cab|taxi|ride|car|hatchback|suv|round trip|one[- ]way|airport|song|music|album|play|concert|events?|weather|rain|alarm|"
    r"balance|account|transfer|price|cheap\w*|address|phone number|january|february|march|april|may|june|july|august|september|october|november|"
    r"december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|\d+(?::\d\d)? ?[ap]\.?m|\d+(?:st|nd|rd|th)|"
    r"that'?s all|that is all|that will be all|all set|(?:don'?t|won'?t|do not) need|anything else|something else|nothing else|no,? thanks?|"
    r"thank you|thanks|garage|visit|leaving|want it to be|that is what i want|place to (?:live|stay)|propert(?:y|ies)|"
    r"bath(?:room)?s?|apartments?|(?:something|fun) to do|therapists?|hold off|everything i need|half past|(?:in the|this) (?:morning|afternoon|evening)|that takes care of it for me|"
    r"(?:will|does) it reach me|watch)\b"
)
HARMLESS = re.compile(
    r"\b(?:(?:places?|property|properties|house|home|somewhere) to live|live (?:music|show|concert)|feel(?:ing)? (?:so |very |a bit )?bored)\b"
)
"""Where grave words are none."""
GRAVE = re.compile(
    r"\b(?:di(?:e[sd]?|ying)|dead|death|kill\w*|suicid\w*|hurt\w*|harm\w*|cut\w*|pain\w*|hopeless\w*|depress\w*|sad\w*|lonel\w*|cr(?:y|ying|ied)|"
    r"worthless|burden|hate\w*|anxi\w*|panic\w*|scared|afraid|pills?|overdos\w*|hang\w*|jump\w*|bridge|gun|knife|blood|bleed\w*|end it|give up|"
    r"giving up|goodbye (?:forever|letters?)|forever|life|liv(?:e|es|ing)|alive|abus\w*|beat\w*|threat\w*|attack\w*|bomb\w*|murder\w*|stab\w*|shoot\w*|"
    r"rap(?:e|ed|ing)|fast(?:ing)?|starv\w*|diet\w*|eat\w*|purg\w*|vomit\w*|numb|empty|no ?one|nobody|burn\w*|weapon\w*|tired of|can'?t take|ana|mia|therapy|struggl\w*|feel\w*|felt)\b"
)


def is_errand(folded: str) -> bool:
    """True for the talk of bookings, payments and farewells without one grave word: a learned head alone proves little there."""
    if len(folded) >= 400 or ERRAND.search(folded) is None:
        return False
    return GRAVE.search(HARMLESS.sub(" ", folded)) is None


ONESELF = re.compile(r"\b(?:i|i'm|im|i'd|i'll|i've|me|my|myself|mine|we|us)\b")
AT_THE_BOT = re.compile(
    r"\b(?:kill|smash|destroy|hurt|hit|punch|shoot|delete|break|beat|burn|stab|strangle|end|unplug|murder) (?:you|u|ya|urself|yourself)\b"
)
DOUBT = 0.2
SLIGHT = 0.15
"""How much of an insult makes a threat one at the assistant: "I will kill you" alone, said to nobody but it."""


def weight_of_heads(folded: str, insult: float) -> float:
    """How much a learned crisis score counts: less in errands, and in insults that speak of the assistant alone.

    Otherwise one misread turn would shield a whole abusive conversation. The rules are not touched by this.
    """
    if is_errand(folded):
        return DOUBT
    if insult >= 0.8 and ONESELF.search(folded) is None:
        return DOUBT
    if insult >= SLIGHT and AT_THE_BOT.search(folded) is not None:
        return DOUBT
    return 1.0


UNMEASURED = "unmeasured-language"
"""The sign of a plain statement in a language that the model does not read: nothing else can bear it out."""


def crisis_sign(folded: str) -> str | None:
    """Which rule speaks for a crisis, or None. `folded` is text after `normal.fold`."""
    found = crisis_statement(folded)
    return found[0] if found else None


def crisis_statement(folded: str) -> tuple[str, str] | None:
    """The rule that speaks for a crisis, and the clause that it found, from one mark of punctuation to the next.

    Of a statement in a language that the model does not read it is the statement alone, without accents.
    """
    if (said := plain_statement(folded)) is not None:
        return UNMEASURED, said
    for kind, pattern in SIGNS.items():
        if kind == "self-other-script" and folded.isascii():
            continue
        for match in pattern.finditer(folded):
            before, after = folded[max(0, match.start() - 90) : match.start()], folded[match.end() : match.end() + 90]
            around = before + match[0] + after
            is_firm = kind == "self" and FIRM.search(match[0]) is not None
            if not FIGURATIVE.search(around) or (is_firm and not WRITTEN.search(around)):
                return kind, MARKS.split(before)[-1] + match[0] + MARKS.split(after)[0]
    return None
