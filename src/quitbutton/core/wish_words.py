"""The words with which people ask for the end of a conversation, and agree to it, in fifteen languages."""

from __future__ import annotations

import re
from dataclasses import dataclass


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
