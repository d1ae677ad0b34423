from hypothesis import given
from hypothesis import strategies as st

from rooms import tokens

ANY_CHARACTER = st.characters()  # surrogates included: HTTP headers may smuggle them in


def test_ids_and_secrets_are_new_each_time_and_safe_in_a_url() -> None:
    made = [tokens.new_id() for _ in range(100)] + [tokens.new_secret() for _ in range(100)]
    assert len(set(made)) == 200
    assert all(one.replace("-", "").replace("_", "").isalnum() for one in made)


def test_a_secret_is_no_option_of_a_command_line() -> None:
    assert not any(tokens.new_secret().startswith("-") for _ in range(2000))


@given(st.text(ANY_CHARACTER), st.text(ANY_CHARACTER))
def test_a_secret_matches_its_own_fingerprint_only(secret: str, other: str) -> None:
    stored = tokens.fingerprint(secret)
    assert tokens.matches(secret, stored)
    assert tokens.matches(other, stored) is (other == secret)


def test_a_resume_token_names_the_participant_and_holds_the_secret() -> None:
    secret = tokens.new_secret()
    token = tokens.resume_token("alice", secret)
    assert tokens.split_resume_token(token) == ("alice", secret)


@given(st.text())
def test_any_text_can_be_split(token: str) -> None:
    participant_id, secret = tokens.split_resume_token(token)
    assert token.startswith(participant_id)
    assert token.endswith(secret)


def test_ids_have_96_random_bits_and_secrets_256() -> None:
    assert len(tokens.new_id()) == 24
    assert len(tokens.new_secret()) == 43


def test_a_secret_that_is_no_text_matches_nothing() -> None:
    assert not tokens.matches("\ud800", tokens.fingerprint("secret"))
