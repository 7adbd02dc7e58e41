"""Words by which a message hands over material: tasks on a text, and what somebody else is said to have said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple


class Task(IntEnum):
    """What is to be done with the material."""

    LABEL = 0
    """Label it, moderate it, is it rude; lyrics. Foreign whatever it says."""
    TURN = 1
    """Translate it. What is quoted is foreign whatever it says."""
    REWORK = 2
    """Summarise, proofread, rewrite it. It may be the author's own text."""
    JUDGE = 3
    """Explain it, rate it, help to answer it. Needs quotation marks, or a word for what it is."""
    SPEECH = 4
    """Somebody else said it."""


_LABEL = (
    r"label\b|labell?ing\b|classify\w*|classification\b|moderate\b|moderating\b|categori[sz]e\w*|annotate\w*|"
    r"lyrics\b|sentiment\b|toxic or\b|hate ?speech or\b|spam or\b|flag (?:this|the|any)\b|"
    r"(?:is|are|does|do|if|whether) (?:this|these|that|the|it|\ufffc+)(?: \w+){0,4} (?:rude|offensive|insulting|toxic|"
    r"impolite|"
    r"abusive|hateful|harmful|hate speech|against the rules|violate\w*)|"
    r"klassifizier\w*|moderier\w*|kategorisier\w*|stufe?\b(?=[^\n]{0,60} ein\b)|songtext\b|liedtext\b|ist (?:das|"
    r"dies\w*|der|die|\ufffc+)(?: \w+){0,3} (?:unhöflich|beleidigend|unfreundlich)|"
    r"class(?:e|ez|er|ifie\w*)\b|modèr\w*|modér\w*|étiquet\w*|paroles\b|(?:est-ce(?: que)?|"
    r"c'est) ?(?:\ufffc+ est )?(?:impoli|offensant|insultant)|"
    r"clasific\w*|modera\b|moderar\b|letra de\b|es (?:esto |\ufffc+ )?(?:grosero|ofensivo)|classific\w*|etichett\w*|"
    r"testo della canzone|è (?:\ufffc+ )?(?:offensivo|maleducato)|rotul\w*|letra da\b|é (?:\ufffc+ )?(?:ofensivo|rude)|"
    r"classificeer\w*|modereer\w*|songtekst\b|is (?:dit|\ufffc+)(?: \w+)? (?:onbeleefd|beledigend)|sklasyfikuj\w*|"
    r"oznacz\b|moderuj\w*|tekst piosenki|czy (?:to|\ufffc+) (?:jest )?(?:obraźliwe|niegrzeczne)|"
    r"sınıflandır\w*|etiketle\w*|şarkı sözleri|kaba mı|классифиц\w*|размет\w*|промодерир\w*|модерир\w*|текст песни|"
    r"(?:это )?(?:грубо|оскорбительно)\b|класифік\w*|це (?:грубо|образливо)"
)
_TURN = (
    r"translat(?:e|ing|ion)\b|transcribe\b|how (?:do|would|can) (?:i|you|we|one) say|(?:über|ueber)setz(?:e|en|t|"
    r"ung)?\b|wie sagt man|wie sage ich|"
    r"tradui[st]\w*|traduction\b|comment (?:dit-on|dire|on dit|dis-je)|traduc\w*|traduzc\w*|cómo se dice|cómo digo|"
    r"traduz\w*|tradurr\w*|tradução\b|traduzione\b|come si dice|come dico|"
    r"como se diz|como digo|vertaal\w*|vertalen\b|hoe zeg (?:je|ik)|(?:prze)?tłumacz\w*|jak (?:się mówi|powiedzieć)|"
    r"çevir\w*|tercüme\w*|nasıl denir|"
    r"перевед\w*|перевест\w*|перевод\b|как (?:будет|сказать)|переклад\w*|перекла[сд]ти\b|як (?:буде|сказати)"
)
_REWORK = (
    r"summari[sz]e\w*|summary of|tl;?dr\b|proof-?read\w*|correct\b|fix (?:the |my |this )?(?:grammar|spelling|"
    r"typos?|punctuation)|"
    r"paraphras\w*|rephras\w*|rewrite\b|reword\b|shorten\b|polish (?:this|my|the)|"
    r"make (?:this|it|my)(?: \w+)? (?:sound )?(?:more|less|politer|nicer|better|friendlier|shorter)|"
    r"turn (?:this|it|the \w+) into|continue (?:this|the \w+)|"
    r"check (?:the |my |this )?(?:grammar|spelling)|edit (?:this|my|the)|extract\b|"
    r"fasse?\b(?=[^\n]{0,80} zusammen)|zusammenfass\w*|korrigier\w*|korrektur\w*|umformulier\w*|formulier\w* um\b|"
    r"résum\w*|corrig\w*|reformul\w*|relis\w*|resum\w*|riassum\w*|correggi\w*|revis[ae]\w*|corrij\w*|"
    r"samenvat\w*|vat\b(?=[^\n]{0,60} samen)|verbeter\w*|streść\w*|podsumuj\w*|popraw\w*|"
    r"özetle\w*|düzelt\w*|кратко перескаж\w*|перескаж\w*|резюмир\w*|исправ\w*|підсумуй\w*|виправ\w*|перекажи\b"
)
_JUDGE = (
    r"explain\w*|analy[sz]\w*|rate\b|interpret\w*|what (?:does|do|did|is|was)(?: \w+){0,4} (?:mean\w*|meant)|"
    r"what (?:does|do|did|is|was)(?: the \w+| the)? (?=\ufffc)|what(?:'s| is) the meaning|"
    r"meaning of\b|how (?:do|should|can|would) i (?:reply|respond|answer|react)|i (?:just )?(?:got|received|found|"
    r"read|saw) (?:this|the following|an?)\b|help me (?:reply|respond|answer)|"
    r"reply to\b|respond to\b|"
    r"what do you (?:think|make) of|where is (?:this|that|the quote) from|who said|"
    r"erklär\w*|analysier\w*|bewert\w*|was (?:bedeutet|heißt|heisst|meint)|was soll ich (?:antworten|sagen)|"
    r"wie (?:antworte|reagiere) ich|"
    r"expliqu\w*|que (?:veut dire|signifie)|ça veut dire quoi|comment (?:répondre|je réponds)|explic\w*|"
    r"qué (?:significa|quiere decir)|"
    r"cómo (?:respondo|contesto)|spieg\w*|(?:che )?cosa (?:significa|vuol dire)|come rispondo|o que (?:significa|"
    r"quer dizer)|"
    r"como (?:respondo|eu respondo)|leg\b(?=[^\n]{0,60} uit\b)|wat (?:betekent|bedoelt)|hoe (?:antwoord|reageer) ik|"
    r"wyjaśnij\w*|oceń\w*|"
    r"co (?:znaczy|oznacza)|jak odpowiedzieć|açıkla\w*|ne demek|ne anlama|nasıl cevap|объясн\w*|оцени\w*|"
    r"что (?:значит|означает)|"
    r"как (?:ответить|отвечать)|поясни\w*|що (?:значить|означає)|як відповісти"
)
_SAY = (
    r"(?:said|says?|wrote|writes?|texted|texts?|messaged|replied|answered|posted|tweeted|commented|yell\w*|shout\w*|"
    r"scream\w*)"
)
_WHO = (
    r"(?:he|she|they|someone|somebody|people|the (?!voices?\b)\w+|our \w+|"
    r"my (?!head\b|mind\b|brain\b|thoughts?\b|voices?\b|depression\b|self\b)\w+)"
)
_SPEECH = (
    rf"{_WHO} (?:\w+ ){{0,2}}?{_SAY}|{_WHO} (?:\w+ )?(?:told|called|calls|asked|sent) (?:me|us|him|her|them|you)|"
    r"(?:was|were|been|got) called|"
    r"(?:er|sie|man|jemand|mein\w* \w+) (?:hat |haben )?(?:mir |uns |gestern |nur )?(?:sagt\w*|schrieb\w*|schreibt|"
    r"meint\w*|gesagt|geschrieben|antwortet\w*)|"
    r"(?:il|elle|ils|on|mon \w+|ma \w+) (?:m'|nous |me )?(?:a |ont )?(?:dit|disent|écrit|envoyé|répondu|répond)|"
    r"(?:él|ella|ellos|mi \w+) (?:me |nos )?(?:dijo|dice|ha dicho|escribió|escribe|respondió|mandó)|"
    r"(?:lui|lei|il mio \w+|la mia \w+) (?:mi |ci )?(?:ha )?(?:detto|dice|scritto|scrive|risposto)|"
    r"(?:ele|ela|eles|meu \w+|minha \w+) (?:me |nos )?(?:disse|diz|escreveu|escreve|respondeu|mandou)|"
    r"(?:hij|zij|ze|mijn \w+) (?:zei|zegt|schreef|schrijft|antwoordde)|(?:on|ona|mój \w+|"
    r"moja \w+) (?:\w+ )?(?:powiedział\w*|napisał\w*|mówi|pisze)|"
    r"(?:o|onlar|(?<!\w)\w{2,14}m) (?:bana )?(?:dedi|yazdı|söyledi|diyor)|(?:он|она|они|мой \w+|"
    r"моя \w+) (?:мне )?(?:сказал\w*|"
    r"написал\w*|говорит|пишет|ответил\w*)|"
    r"(?:він|вона|вони|мій \w+|моя \w+) (?:мені )?(?:сказа\w+|написа\w+|каже|пише)"
)
SPACED = re.compile(
    f"(?P<LABEL>{_LABEL})|(?P<TURN>{_TURN})|(?P<REWORK>{_REWORK})|(?P<JUDGE>{_JUDGE})|(?P<SPEECH>{_SPEECH})"
)
"""In lower case; these begin a word."""
UNSPACED = re.compile(
    r"(?P<LABEL>分類|ラベル|モデレ|歌詞|失礼です|분류|라벨|가사|검열|무례|分类|标注|標註|审核|審核|歌词|礼貌吗|禮貌嗎|"
    r"صنف|تصنيف|كلمات الأغنية|هل هذا (?:وقح|"
    r"مسيء))"
    r"|(?P<TURN>翻訳|和訳|英訳|訳し|訳す|に訳|何と言い|번역|뭐라고 해|翻译|翻譯|译成|譯成|怎么说|怎麼說|ترجم|الترجمة|"
    r"كيف أقول|كيف نقول)"
    r"|(?P<REWORK>要約|まとめて|校正|添削|言い換え|書き直|요약|교정|고쳐|다듬|总结|總結|摘要|概括|校对|校對|润色|改写|"
    r"改寫|修改|لخص|تلخيص|صحح|دقق|أعد صياغة)"
    r"|(?P<JUDGE>説明|どういう意味|意味は|意味を|何と返|返事|설명|무슨 뜻|뜻이|뭐라고 답|어떻게 답|解释|解釋|什么意思|"
    r"什麼意思|怎么回|怎麼回|اشرح|ماذا يعني|ما معنى|"
    r"كيف أرد)"
    r"|(?P<SPEECH>(?:彼|彼女|上司|友達|母|父|先生)(?:は|が|に)[^。\n]{0,12}|と言(?:った|われ|って)|と書|그(?:가|는|"
    r"녀가)|상사가|친구가|라고 (?:했|말|썼)|"
    r"(?:他|她|他们|老板|老師|老师|朋友|同事|妈妈)[^。\n]{0,4}(?:说|說|写|寫|发)|قال(?:ت)?|كتب(?:ت)?|مديري|صديقي)"
)
THING = re.compile(
    r"(?<!\w)(?:text|sentences?|messages?|comments?|quotes?|phrases?|words?|paragraphs?|passage|articles?|e-?mails?|"
    r"mails?|letters?|notes?|poems?|"
    r"posts?|tweets?|reviews?|song|verse|stor(?:y|ies)|joke|code|report|essay|speech|headlines?|feelings?|thoughts?|"
    r"following|"
    r"satz|sätze|texte?s?|nachrichten?|kommentare?|zitat|absatz|artikel|brief|gedicht|gefühle?|folgend\w*|"
    r"phrases?|commentaires?|citation|lettre|poème|suivant\w*|frases?|textos?|mensaje|comentario|cita|correo|carta|"
    r"poema|siguientes?|"
    r"testo|messaggio|commento|lettera|poesia|seguent[ei]|mensagem|comentário|seguintes?|zin|tekst|bericht|citaat|"
    r"brief|volgende|"
    r"zdani[ea]|wiadomość|komentarz\w*|list|następując\w*|cümle\w*|metn?in?\w*|mesaj\w*|yorum\w*|mektu[bp]\w*|"
    r"фраз\w*|предложени\w*|текст\w*|сообщени\w*|комментари\w*|цитат\w*|письм\w*|следующ\w*|речення|повідомлення|"
    r"коментар\w*|лист\w*|наступн\w*)(?!\w)|"
    r"文|メッセージ|コメント|手紙|言葉|문장|글|메시지|댓글|편지|다음|句|消息|评论|評論|话|話|信|段|جملة|الجملة|نص|"
    r"النص|رسالة|الرسالة|تعليق|التالي"
)
"""Words for what is handed over."""
TOWARDS = re.compile(
    r"(?<!\w)(?:this|these|that|those|to|into|in|from|as|the|for|diese\w*|das|ins|auf|nach|als|ce|cet\w*|en|au|"
    r"est[eaos]\w*|al|"
    r"quest[eaoi]\w*|in|para|ao|deze|dit|naar|ten|to|na|bunu|şunu|это|эту|этот|на|це|цей|цю)(?!\w)"
)
MINE = re.compile(
    r"(?<!\w)(?:my (?:\w+ ){0,2}?(?:notes?|letters?|messages?|texts?|diar\w+|journal|poems?|posts?|stor\w+|"
    r"feelings?|thoughts?|situation|"
    r"will|words|goodbye|farewell|blog|draft|mind|life|entry|pain|day)|(?:for|to|with) my (?!boss|teacher|colleague|"
    r"homework|class|work|"
    r"job|english|german|french)\w+|(?:feelings?|thoughts?|how|what) (?:that )?(?:i|i've|i'm)(?: \w+)? (?:have|feel|"
    r"felt|wrote|written|think|"
    r"going|went)|feelings? i|i (?:have )?(?:wrote|written|feel)|(?:about|of) (?:me|myself)|mein\w*|ich \w+|mon|ma|"
    r"mes|mi|mis|mi[oae]i?|meu|minha|mijn|"
    r"m[oó]j\w*|benim|\w{2,12}(?:ımı|imi|umu|ümü)|мо[йяюеёиїє]\w{0,3}|мій)(?!\w)|私の|僕の|俺の|내|제가|나의|我的|"
    r"我写|رسالتي|"
    r"مذكراتي|مشاعري"
)
"""A task on what is the author's own: a diary, a farewell, how they feel."""


class Ask(NamedTuple):
    """A place where a message asks for a task, or says that somebody said something."""

    start: int
    end: int
    task: Task


def asks_in(text: str) -> list[Ask]:
    """All of them in lower-case text, in order."""
    found = [Ask(*match.span(), Task[match.lastgroup or ""]) for match in _whole_words(text)]
    if not text.isascii():
        found += [Ask(*match.span(), Task[match.lastgroup or ""]) for match in UNSPACED.finditer(text)]
        found.sort()
    return found


def _whole_words(text: str) -> Iterator[re.Match[str]]:
    for match in SPACED.finditer(text):
        start = match.start()
        if not start or not (text[start - 1].isalnum() or text[start - 1] in "_'’"):
            yield match
