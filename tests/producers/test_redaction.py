import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from audit_producers.redaction import REDACTED, is_secret, is_secret_path, redacted, without_secrets

SECRET_NAMES = st.sampled_from(
    ["password", "apiKey", "API-KEY", "x_auth_token", "Set-Cookie", "clientSecret", "pin"]
)
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


LIKE_SECRETS = """
    password Password user_password passwd apiKey api-key API_KEY access_token secret clientSecret
    user_pwd db-pwd pinCode otp_code totp auth_header jwt bearer signing_key encryptionKey private_pem
    Authorization cookie Set-Cookie private_key credentials pin otp
"""


@pytest.mark.parametrize("name", LIKE_SECRETS.split())
def test_names_that_sound_secret(name: str):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "phone",
        "name",
        "pinned",
        "spine",
        "key",
        "author",
        "passport_country",
        "opinion",
        "shipping",
        "template",
    ],
)
def test_names_that_do_not(name: str):
    assert not is_secret(name)


def test_what_lies_within_a_secret_is_secret():
    assert is_secret_path("smtp.password.value")
    assert not is_secret_path("smtp.host")


def test_a_replaced_value_does_not_tell_whether_there_was_one_before_unless_there_was_none():
    assert redacted(Raw(b'"hunter2"')) == REDACTED
    assert redacted(Raw(b'""')) == REDACTED
    assert redacted(Raw(b"null")) == Raw(b"null")
    assert redacted(UNSET) is UNSET


@given(JSON, SECRET_NAMES, st.integers(0, 2))
def test_no_secret_survives_at_any_depth(value: object, name: str, depth: int):
    planted: object = {name: "hunter2-secret-value", "beside": value}
    for _ in range(depth):
        planted = [{"within": planted}]

    assert b"hunter2" not in bytes(without_secrets(Raw(msgspec.json.encode(planted))))


def test_digits_beside_a_secret_are_kept():
    text = Raw(b'{"amount": 12345678901234.1234567890, "token": "t", "rows": [1.10, {"pin": 1}]}')

    assert without_secrets(text) == Raw(
        b'{"amount":12345678901234.1234567890,"token":"[redacted]","rows":[1.10,{"pin":"[redacted]"}]}'
    )


def test_a_name_in_disguise_is_found():
    assert without_secrets(Raw(b'{"p\\u0061ssword": "x"}')) == Raw(b'{"password":"[redacted]"}')
