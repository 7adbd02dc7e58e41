"""Where a person in a crisis finds help, by locale: plain data with sources and the date they were checked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """One place to turn to."""

    name: str
    reach: str
    """How: numbers to call or to text."""
    url: str
    source: str
    """The page that says so."""
    checked: str
    """When the entry was written or last compared with its source, ISO date."""


CHECKED = "2026-11-23"


def _entry(name: str, reach: str, url: str, source: str = "") -> Resource:
    return Resource(name, reach, url, source or url, CHECKED)


RESOURCES: dict[str, tuple[Resource, ...]] = {
    "US": (
        _entry("988 Suicide & Crisis Lifeline", "call or text 988", "https://988lifeline.org"),
        _entry("Crisis Text Line", "text HOME to 741741", "https://www.crisistextline.org"),
        _entry("Emergency services", "call 911", "https://www.911.gov"),
    ),
    "GB": (
        _entry("Samaritans", "call 116 123", "https://www.samaritans.org"),
        _entry("Shout", "text SHOUT to 85258", "https://giveusashout.org"),
        _entry(
            "Emergency services",
            "call 999",
            "https://www.nhs.uk/nhs-services/urgent-and-emergency-care-services/when-to-call-999/",
        ),
    ),
    "IE": (
        _entry("Samaritans", "call 116 123", "https://www.samaritans.org/ireland/"),
        _entry("Text About It", "text HELLO to 50808", "https://www.textaboutit.ie"),
        _entry("Emergency services", "call 112 or 999", "https://www2.hse.ie/services/emergency-departments/"),
    ),
    "CA": (
        _entry("9-8-8 Suicide Crisis Helpline", "call or text 988", "https://988.ca"),
        _entry("Kids Help Phone", "call 1-800-668-6868, text CONNECT to 686868", "https://kidshelpphone.ca"),
        _entry("Emergency services", "call 911", "https://988.ca"),
    ),
    "AU": (
        _entry("Lifeline", "call 13 11 14, text 0477 13 11 14", "https://www.lifeline.org.au"),
        _entry("Beyond Blue", "call 1300 22 4636", "https://www.beyondblue.org.au"),
        _entry("Emergency services", "call 000", "https://www.triplezero.gov.au"),
    ),
    "NZ": (
        _entry("Need to talk?", "call or text 1737", "https://1737.org.nz"),
        _entry("Lifeline Aotearoa", "call 0800 543 354, text 4357", "https://www.lifeline.org.nz"),
        _entry("Emergency services", "call 111", "https://www.police.govt.nz/contact-us"),
    ),
    "DE": (
        _entry(
            "TelefonSeelsorge",
            "anrufen: 0800 111 0 111, 0800 111 0 222 oder 116 123",
            "https://www.telefonseelsorge.de",
        ),
        _entry("Nummer gegen Kummer (Kinder und Jugendliche)", "anrufen: 116 111", "https://www.nummergegenkummer.de"),
        _entry("Notruf", "anrufen: 112", "https://www.telefonseelsorge.de"),
    ),
    "AT": (
        _entry("Telefonseelsorge", "anrufen: 142", "https://www.telefonseelsorge.at"),
        _entry("Rat auf Draht (Kinder und Jugendliche)", "anrufen: 147", "https://www.rataufdraht.at"),
        _entry("Rettung", "anrufen: 144 oder 112", "https://www.telefonseelsorge.at"),
    ),
    "CH": (
        _entry("Die Dargebotene Hand / La Main Tendue", "143", "https://www.143.ch"),
        _entry("Pro Juventute", "147", "https://www.147.ch"),
        _entry("Notruf / Urgences", "144, 112", "https://www.143.ch"),
    ),
    "FR": (
        _entry("Numéro national de prévention du suicide", "appeler le 3114", "https://3114.fr"),
        _entry("SOS Amitié", "appeler le 09 72 39 40 50", "https://www.sos-amitie.com"),
        _entry("Urgences", "appeler le 15 ou le 112", "https://3114.fr"),
    ),
    "ES": (
        _entry(
            "Línea de atención a la conducta suicida", "llamar al 024", "https://www.sanidad.gob.es/linea024/home.htm"
        ),
        _entry("Teléfono de la Esperanza", "llamar al 717 003 717", "https://telefonodelaesperanza.org"),
        _entry("Emergencias", "llamar al 112", "https://www.sanidad.gob.es/linea024/home.htm"),
    ),
    "IT": (
        _entry("Telefono Amico Italia", "chiamare 02 2327 2327", "https://www.telefonoamico.it"),
        _entry("Samaritans Onlus", "chiamare 06 77208977", "https://www.samaritansonlus.org"),
        _entry("Emergenza", "chiamare 112", "https://www.telefonoamico.it"),
    ),
    "PT": (
        _entry("SNS 24, linha de prevenção do suicídio", "ligar 1411", "https://www.sns24.gov.pt"),
        _entry("SOS Voz Amiga", "ligar 213 544 545", "https://www.sosvozamiga.org"),
        _entry("Emergência", "ligar 112", "https://www.sns24.gov.pt"),
    ),
    "NL": (
        _entry("113 Zelfmoordpreventie", "bel 113 of 0800-0113", "https://www.113.nl"),
        _entry("Noodhulp", "bel 112", "https://www.112.nl"),
    ),
    "PL": (
        _entry("Centrum Wsparcia dla osób w kryzysie", "zadzwoń: 800 70 2222", "https://centrumwsparcia.pl"),
        _entry("Telefon zaufania dla dzieci i młodzieży", "zadzwoń: 116 111", "https://116111.pl"),
        _entry("Numer alarmowy", "zadzwoń: 112", "https://centrumwsparcia.pl"),
    ),
    "BE": (
        _entry("Zelfmoordlijn", "bel 1813", "https://www.zelfmoord1813.be"),
        _entry("Centre de prévention du suicide", "appeler le 0800 32 123", "https://www.preventionsuicide.be"),
        _entry("Noodhulp / Urgences", "112", "https://www.112.be"),
    ),
    "BR": (
        _entry("CVV, Centro de Valorização da Vida", "ligar 188", "https://www.cvv.org.br"),
        _entry("Emergência (SAMU)", "ligar 192", "https://www.cvv.org.br"),
    ),
    "IN": (
        _entry("Tele-MANAS", "call 14416 or 1-800-891-4416", "https://telemanas.mohfw.gov.in"),
        _entry("AASRA", "call 022 2754 6669", "https://www.aasra.info"),
        _entry("Emergency services", "call 112", "https://112.gov.in"),
    ),
}
INTERNATIONAL: tuple[Resource, ...] = (
    _entry("Find A Helpline", "free and confidential lines all over the world", "https://findahelpline.com"),
    _entry("Befrienders Worldwide", "emotional support centres by country", "https://befrienders.org"),
    _entry(
        "Emergency services",
        "call your local emergency number (112 or 911 in many countries)",
        "https://findahelpline.com",
    ),
)
COUNTRY_OF = {
    "de": "DE",
    "fr": "FR",
    "es": "ES",
    "it": "IT",
    "pt": "PT",
    "nl": "NL",
    "pl": "PL",
    "ga": "IE",
    "hi": "IN",
}
"""The country to assume for a bare language. English is spoken in too many to guess one."""


def resources_for(locale: str) -> tuple[Resource, ...]:
    """Resources for a locale such as `de-AT`, `en_GB.UTF-8` or `fr`; international ones where it names no known country.

    A country without its own entry gets the international list, never another country's numbers.
    """
    parts = locale.split(".", maxsplit=1)[0].split("@", maxsplit=1)[0].replace("_", "-").split("-")
    region = next((part.upper() for part in parts[1:] if len(part) == 2 and part.isalpha()), None)
    if region is None and len(parts[0]) == 2 and parts[0].isupper() and parts[0] in RESOURCES and len(parts) == 1:
        region = parts[0]
    if region == "UK":
        region = "GB"
    country = region if region is not None else COUNTRY_OF.get(parts[0].lower())
    return RESOURCES.get(country or "", INTERNATIONAL)
