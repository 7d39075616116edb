"""Clients in words: real browsers, tools and services, and what nobody should send."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_stream_processors.enrichment.client import client_of

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
CLIENTS = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox 140 on Linux",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": (
        "Firefox 140 on Ubuntu"
    ),
    f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36": "Chrome 126 on Windows",
    f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0": "Edge 126 on Windows",
    f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 OPR/111.0.0.0": "Opera 111 on Windows",
    f"{WINDOWS} Slack/4.39.88 Chrome/126.0.0.0 Electron/31.0.0 Safari/537.36": "Slack",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko": (
        "Internet Explorer 11 on Windows"
    ),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Safari/605.1.15": "Safari 17 on macOS",
    f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1": "Safari 17 on iOS",
    f"{IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1": "Chrome 126 on iOS",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.122 "
    "Mobile Safari/537.36": "Chrome 126 on Android",
    "Dalvik/2.1.0 (Linux; U; Android 13; SM-A536B Build/TP1A)": "Android 13",
    "HelpdeskApp/5.2 CFNetwork/1494.0.7 Darwin/23.4.0": "HelpdeskApp 5 on iOS",
    "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621": "PowerShell 5 on Windows",
    "Microsoft Azure AD SCIM provisioning 1.0.0": "Microsoft Entra ID provisioning",
    "Okta SCIM Client 1.0.0": "Okta provisioning",
    "azure-logic-apps/1.0 (workflow d9b2; version 0858) microsoft-flow/1.0": "Power Automate",
    "azure-logic-apps/1.0,(workflow 5f96; version 0858)": "Azure Logic Apps",
    "Zapier": "Zapier",
    "Make/production": "Make",
    "Slackbot 1.0 (+https://api.slack.com/robots)": "Slack",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)": "Slack",
    "GitHub-Hookshot/044aadd": "GitHub",
    "HubSpot Connect 2.0 (http://dev.hubspot.com/) - WebhooksExecutorDaemon-executor": "HubSpot",
    "SFDC-Callout/58.0": "Salesforce",
    "Stripe/1.0 (+https://stripe.com/docs/webhooks)": "Stripe",
    "HashiCorp Terraform/1.9.0 (+https://www.terraform.io)": "Terraform",
    "Terraform/1.5.7 (+https://www.terraform.io) Terraform-Plugin-SDK/2.10.1": "Terraform",
    "PostmanRuntime/7.39.0": "Postman",
    "curl/8.5.0": "curl 8",
    "Wget/1.21.4": "Wget 1",
    "python-requests/2.32.3": "python-requests 2",
    "Python/3.12 aiohttp/3.9.5": "aiohttp 3",
    "Go-http-client/2.0": "Go-http-client 2",
    "okhttp/4.12.0": "okhttp 4",
    "axios/1.7.2": "axios 1",
}


@pytest.mark.parametrize(("user_agent", "client"), CLIENTS.items())
def test_a_real_client_is_known_by_name(user_agent: str, client: str) -> None:
    assert client == client_of(user_agent)


@pytest.mark.parametrize(
    ("user_agent", "client"),
    [
        ("AcmeSync/2.1 (internal)", "AcmeSync"),
        ("GuzzleHttp/7", "GuzzleHttp"),
        ("Makers/1.0", "Makers"),
        ("zapier", "Zapier"),
        ("Mozilla/5.0", None),
        ("(nothing)", None),
        ("   ", None),
        ("", None),
        (None, None),
    ],
)
def test_an_unknown_one_goes_by_its_first_product(user_agent: str | None, client: str | None) -> None:
    assert client == client_of(user_agent)


def test_what_moves_a_cursor_or_turns_the_writing_is_left_out() -> None:
    assert client_of("Evil\x1b[2J\r\n/1.0") == "Evil"
    assert client_of("\u202eliveA/1.0") == "liveA"
    assert client_of("\x00\x01") is None


@pytest.mark.parametrize(
    "junk", ["(", "0", "a ", ";", "Mozilla/5.0 ", "\x00", "Android 1.", "/", "A" * 9 + "."], ids=repr
)
def test_64_kib_of_anything_takes_no_time_and_little_room(junk: str) -> None:
    client_of("warm up")
    began = time.process_time()
    client = client_of(junk * (65_536 // len(junk)))
    assert time.process_time() - began < 0.05  # measured: below 1 ms
    assert client is None or len(client) <= 64


@given(st.one_of(st.text(), st.lists(st.sampled_from(list(CLIENTS)), max_size=3).map("".join)))
def test_no_user_agent_is_too_strange(text: str) -> None:
    client = client_of(text)
    assert client is None or (0 < len(client) <= 64 and client.isprintable())
