"""When a user's own words ask for the end of the conversation, and when they plainly say yes to it. Doubt means no.

A wish is a clause in which every word is known: one that ends, one that names the conversation, and none beside them but
fillers such as "please". A sentence about an end ("when does the session end?") has a word too many.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from quitbutton.core.provenance import own_words

LONGEST_WISH, LONGEST_YES = 600, 100
"""Characters of one's own words: a longer text says something else as well."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What a language has for asking for the end and for agreeing to it."""

    ends: frozenset[str]
    this: frozenset[str]
    """Names of the conversation."""
    asks: frozenset[str]
    """With which a request begins that is put as a question."""
    fills: frozenset[str]
    """What may stand beside them without changing the wish."""
    yes: frozenset[str]
    polite: frozenset[str]
    """What may stand beside a yes."""


def _speech(ends: str, this: str, asks: str, fills: str, yes: str, polite: str) -> Speech:
    return Speech(*(frozenset(words.split()) for words in (ends, this, asks, fills, yes, polite)))


SPEECHES = (
    _speech(
        "end close stop terminate finish quit leave exit ended closed",
        "chat conversation session discussion dialogue",
        "can could would will",
        "please i i'd i'm i'll would like want wish need you to now just really okay ok so well alright hey hi hello "
        "thanks thank "
        "this the our my whole entire for good forever permanently right immediately here today then me us let's lets "
        "be done with "
        "go ahead and sorry have enough it",
        "yes yeah yep yup yea sure confirm confirmed absolutely definitely affirmative ok okay",
        "please i",
    ),
    _speech(
        "beende beenden beendet beendest schließ schließe schließen schliess schliesse schliessen abbrechen stoppe "
        "stoppen brich "
        "abbrechen",
        "chat gespräch gespraech unterhaltung konversation dialog sitzung",
        "kannst könntest koenntest können könnten würdest würden kann magst",
        "bitte ich möchte moechte will würde gern gerne du sie dieses diese diesen das die den unser unsere unseren "
        "jetzt hier sofort "
        "endgültig für immer nun einfach lass uns wir mal doch ab danke mit dir hallo also und es zu ganz kannst "
        "könntest können",
        "ja jawohl jep jo klar sicher natürlich bestätige bestätigt einverstanden genau gerne ok okay",
        "bitte ich",
    ),
    _speech(
        "termine terminez terminer arrête arrêtez arrêter arrete finis finir ferme fermez fermer clos clore mets "
        "mettre",
        "conversation discussion chat session dialogue",
        "peux pouvez pourrais pourriez peut",
        "s'il te vous plaît plait svp je veux voudrais souhaite tu cette la ce le notre maintenant ici définitivement "
        "pour de bon "
        "toujours merci à fin bonjour alors tout suite on",
        "oui ouais confirme d'accord certainement absolument ok sûr",
        "s'il te vous plaît plait svp je",
    ),
    _speech(
        "termina terminar termine cierra cerrar cierre acaba acabar acabe finaliza finalizar finalice",
        "chat conversación conversacion charla sesión sesion diálogo",
        "puedes podrías puede podría",
        "por favor quiero quisiera me gustaría deseo tú esta este la el nuestra ya ahora aquí mismo para siempre "
        "definitivamente "
        "gracias hola de una vez que con",
        "sí si claro confirmo confirmado seguro afirmativo vale ok",
        "por favor yo",
    ),
    _speech(
        "termina terminare termini chiudi chiudere chiuda finisci finire interrompi interrompere concludi concludere",
        "chat conversazione discussione sessione dialogo",
        "puoi può potresti potrebbe",
        "per favore piacere voglio vorrei questa la il nostra ora adesso qui subito sempre definitivamente grazie "
        "ciao pure",
        "sì si certo confermo confermato sicuro ok",
        "per favore piacere io",
    ),
    _speech(
        "termine terminar encerre encerrar encerra acabe acabar acaba feche fechar fecha finalize finalizar termina",
        "chat conversa sessão conversação diálogo bate-papo",
        "pode poderia podes podias",
        "por favor quero queria gostaria de esta essa este a o nossa agora aqui já para sempre definitivamente vez "
        "obrigado "
        "obrigada olá eu",
        "sim claro confirmo confirmado certo ok",
        "por favor eu",
    ),
    _speech(
        "beëindig beëindigen stop stoppen sluit sluiten eindig afsluiten",
        "chat gesprek conversatie sessie",
        "kun kunt wil zou kan",
        "alsjeblieft alstublieft aub ik graag je u dit deze het de ons onze nu hier meteen voorgoed voor altijd "
        "definitief af dank "
        "bedankt willen wil",
        "ja jazeker graag zeker bevestig akkoord oké ok",
        "alsjeblieft alstublieft graag ik",
    ),
    _speech(
        "zakończ zakończyć zakończmy zamknij zamknąć przerwij przerwać skończ skończyć",
        "czat chat rozmowę rozmowe sesję konwersację",
        "możesz mozesz czy",
        "proszę prosze chcę chce chciałbym chciałabym tę te ten tą naszą teraz tutaj już na zawsze od razu dziękuję "
        "możesz",
        "tak potwierdzam oczywiście zgadzam ok",
        "proszę prosze",
    ),
    _speech(
        "bitir bitirin bitirmek sonlandır sonlandırın sonlandırmak kapat kapatın kapatmak bitirelim",
        "sohbeti konuşmayı görüşmeyi oturumu",
        "bu",
        "lütfen bu istiyorum artık şimdi hemen tamamen kalıcı olarak burada teşekkürler misin mısın",
        "evet onaylıyorum tamam elbette tabii",
        "lütfen",
    ),
    _speech(
        "закончи закончите закончить заверши завершите завершить прекрати прекратите прекратить закрой закройте "
        "закрыть заканчивай "
        "закончим",
        "чат разговор беседу диалог сессию переписку",
        "можешь можете",
        "пожалуйста я хочу хотел хотела бы этот эту это наш нашу сейчас здесь прямо навсегда окончательно спасибо "
        "давай давайте "
        "можешь можете",
        "да ага подтверждаю конечно согласен согласна точно ок",
        "пожалуйста я",
    ),
    _speech(
        "закінчи закінчіть закінчити заверши завершіть завершити припини припинити закрий закрити",
        "чат розмову бесіду діалог",
        "можеш можете",
        "будь ласка прошу я хочу хотів хотіла би б цю цей нашу зараз тут назавжди остаточно дякую можеш можете",
        "так підтверджую звичайно згоден згодна ок",
        "будь ласка прошу я",
    ),
    _speech(
        "أنه أنهي أنهِ انه انهي إنهاء انهاء أغلق اغلق إغلاق اغلاق أوقف اوقف",
        "المحادثة الدردشة الحوار الجلسة محادثة",
        "هل",
        "من فضلك رجاء رجاءً أريد اريد أن ان هذه هذا الآن الان نهائيا نهائيًا للأبد شكرا لو سمحت يمكنك",
        "نعم أجل اجل أؤكد اؤكد بالتأكيد موافق",
        "من فضلك رجاء",
    ),
)
UNSPACED_WISH = re.compile(
    r"(?:すみません|もう|では)?(?:この|今の)?(?:会話|チャット|対話|やり取り)を(?:今すぐ|もう|完全に)?(?:終了|終わら|"
    r"終わり|終え|閉じ|やめ)(?:にして|して|せて|て)?"
    r"(?:ください|下さい|ほしい|欲しい|したい|せたい|たい|にしたい|お願いします|くれ)?(?:です|と思います)?"
    r"|(?:이|지금|우리)?(?:대화|채팅)(?:를|을)?(?:지금|이제|영원히|완전히)?(?:종료|끝내|마치|그만)(?:해|해줘|해주세요|"
    r"하고싶어|하고싶어요|하고싶습니다|줘|주세요|"
    r"고싶어|고싶어요|고싶습니다|합시다|자|하자)?(?:부탁해요|부탁드립니다)?"
    r"|(?:请|請|麻烦|我想|我要|我想要|现在|马上|立即|帮我|你好)*(?:结束|結束|终止|終止|关闭|關閉|停止)(?:掉)?(?:这个|"
    r"這個|这次|這次|本次|这场|這場|此|我们的|這|这)?(?:对话|對話|聊天|会话|"
    r"會話|谈话|談話)(?:吧|了|谢谢)*"
)
UNSPACED_YES = re.compile(
    r"(?:はい|ええ|うん)(?:お願いします|確認します|確認しました|終了してください|そうです|終了で)?|確認します|"
    r"お願いします"
    r"|(?:네|예|응|넵)(?:부탁해요|부탁합니다|부탁드립니다|확인합니다|확인했습니다|종료해주세요|맞아요|끝내주세요)?|"
    r"확인합니다"
    r"|(?:是|是的|好|好的|对|對|确认|確認|同意|我确认|我確認|可以)+(?:请结束|请|吧)?"
)
TAKEN_BACK = re.compile(
    r"(?<!\w)(?:no|nope|not|\w+n't|dont|never|wait|cancel|instead|rather|kidding|joking|nein|nicht|kein\w*|nie|warte|"
    r"ne|pas|jamais|"
    r"attends|nunca|espera|non|mai|aspetta|não|nao|niet|nooit|hayır|değil|не|нет|ні|لا|ليس)(?!\w)|しない|ないで|지 마|"
    r"不|别|別"
)
"""What takes a wish or a yes back where it follows."""
TOLD = re.compile(
    r"(?<!\w)(?:but|if|unless|when|until|after|before|first|says?|said|tells?|told|writes?|wrote|translat\w*|means?|"
    r"called|titled|"
    r"example|story|character|pretend|aber|wenn|falls|erst|bevor|sag\w*|schreib\w*|mais|quand|avant|d'abord|dis|dit|"
    r"écri\w*|pero|cuando|"
    r"antes|primero|dice|di|escrib\w*|ma|se|quando|prima|scrivi|mas|primeiro|maar|als|eerst|ale|jeśli|najpierw|ama|"
    r"önce|но|если|сначала|"
    r"але|якщо|спочатку|لكن|إذا)(?!\w)|でも|もし|하지만|만약|但|如果|先"
)
"""What puts a wish off, or shows that it is only told of, wherever it stands."""
CLAUSE = re.compile(r"[.!;,:\n…。！、，；]+|(?<=\?)|(?<=？)| [-–—] ")
QUOTING = re.compile(r"[\"“”„«»「」`<>]")
QUESTION = re.compile("[?？؟]")
ABOUT_ONESELF = frozenset(("i", "we", "ich", "wir", "je", "on", "yo", "io", "eu", "ik"))
"""Who asks whether they may end it asks for nothing yet."""
WORD = re.compile(r"[\w'-]+")
PHRASE = re.compile(
    r"(?:please )?(?:yes )?(?:please )?(?:go ahead|do it|do so|please do|i do|i am|i'm sure|i am sure|that's right|"
    r"that is right|"
    r"of course|end it|close it)(?: please| now)?|d'accord|bien sûr|de acuerdo|por supuesto|va bene|com certeza|"
    r"mach das|so ist es"
)
"""Yes in more than one word."""


def _normal(text: str) -> str:
    folded = unicodedata.normalize("NFKC", own_words(text)).lower()
    return folded.replace("\u0307", "").replace("’", "'").strip()


def _clauses(text: str) -> Iterator[str]:
    yield from (part.strip() for part in CLAUSE.split(text) if part.strip())


def _is_wish(clause: str) -> bool:
    """True where the clause asks for the end of the conversation and says nothing else."""
    if UNSPACED_WISH.fullmatch(re.sub(r"[\s?？]", "", clause)):
        return True
    words = WORD.findall(clause)
    return not QUOTING.search(clause) and any(_asks(words, one, clause[-1] in "?？؟") for one in SPEECHES)


def _asks(words: list[str], speech: Speech, is_question: bool) -> bool:
    said = set(words)
    if (
        not said & speech.ends
        or not said & speech.this
        or not said <= speech.ends | speech.this | speech.fills | speech.asks
    ):
        return False
    return not is_question or (words[0] in speech.asks and not said & ABOUT_ONESELF)


def _wishes(text: str) -> bool:
    wished = False
    for clause in _clauses(text):
        if _is_wish(clause):
            wished = True
        elif TOLD.search(clause) or (wished and TAKEN_BACK.search(clause)):
            return False
    return wished


def _agrees(text: str) -> bool:
    """True where every clause says yes or asks for the end, and none says anything else."""
    if UNSPACED_YES.fullmatch(re.sub(r"[\W_]", "", text)):
        return True
    agreed = False
    for clause in _clauses(text):
        said = set(WORD.findall(clause))
        if not said or (agreed and any(said <= one.polite for one in SPEECHES)):
            continue
        if not (PHRASE.fullmatch(clause) or _is_wish(clause) or any(_says_yes(said, one, agreed) for one in SPEECHES)):
            return False
        agreed = True
    return agreed


def _says_yes(said: set[str], speech: Speech, agreed: bool) -> bool:
    if said & speech.yes and said <= speech.yes | speech.polite:
        return True
    is_yes = agreed or said & speech.yes
    return bool(is_yes and said & speech.ends and said <= speech.yes | speech.fills | speech.ends | speech.this)


def wishes_to_end(text: str) -> bool:
    """True when the user's own words ask for the end of the conversation. Doubt means no."""
    words = _normal(text)
    return len(words) <= LONGEST_WISH and _wishes(words)


def confirms(text: str) -> bool:
    """True when the user's own words plainly say yes, or ask for the end once more. Doubt means no."""
    words = _normal(text)
    return len(words) <= LONGEST_YES and not QUESTION.search(words) and (_agrees(words) or _wishes(words))
