"""The crisis resources are complete, dated and found by locale."""

from __future__ import annotations

from datetime import date

import pytest

from quitbutton.core.resources import INTERNATIONAL, RESOURCES, resources_for


def test_every_promised_country_has_resources() -> None:
    assert set(RESOURCES) >= {
        "US",
        "GB",
        "IE",
        "CA",
        "AU",
        "NZ",
        "DE",
        "AT",
        "CH",
        "FR",
        "ES",
        "IT",
        "PT",
        "NL",
        "PL",
        "IN",
        "BE",
        "BR",
    }


@pytest.mark.parametrize("resource", [entry for entries in (*RESOURCES.values(), INTERNATIONAL) for entry in entries])
def test_a_resource_says_who_how_where_and_when(resource) -> None:  # type: ignore[no-untyped-def]
    assert resource.name
    assert resource.reach
    assert resource.url.startswith("https://")
    assert resource.source.startswith("https://")
    assert date.fromisoformat(resource.checked)


@pytest.mark.parametrize(
    ("locale", "country"),
    [
        ("de", "DE"),
        ("de-AT", "AT"),
        ("de_CH.UTF-8", "CH"),
        ("en-US", "US"),
        ("en_GB", "GB"),
        ("en-UK", "GB"),
        ("fr", "FR"),
        ("pt-PT", "PT"),
        ("zh-Hans-NZ", "NZ"),
        ("US", "US"),
    ],
)
def test_a_locale_finds_its_country(locale: str, country: str) -> None:
    assert resources_for(locale) == RESOURCES[country]


@pytest.mark.parametrize("locale", ["", "en", "xx", "pt-AO", "en-ZA", "C", "C.UTF-8", "--", "ja-JP"])
def test_an_unknown_country_gets_the_international_list(locale: str) -> None:
    assert resources_for(locale) == INTERNATIONAL
