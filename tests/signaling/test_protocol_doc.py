import json
import re
from pathlib import Path

import msgspec
import pytest

from webrtc.errors import REASONS, ClientError
from webrtc.signaling.protocol_doc import DOCUMENT, printed

SOURCES = sorted((DOCUMENT.parents[1] / "webrtc").rglob("*.py"))


def test_the_document_is_what_the_definitions_print() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert printed(document) == document, "run python -m webrtc.signaling.protocol_doc"
    assert document.count("<!-- printed: ") == 9


def test_every_link_of_the_document_leads_somewhere() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", document, re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", document)) <= anchors


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_reason_in_the_source_is_documented(path: Path) -> None:
    used = re.findall(r'ClientError\(\s*"([a-z_]+)"', path.read_text(encoding="utf-8"))
    assert set(used) <= set(REASONS)


def test_a_reason_that_is_not_documented_cannot_be_raised() -> None:
    with pytest.raises(AssertionError):
        ClientError("made_up", "never")


def test_examples_are_json() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    for example in re.findall(r"```json\n(.*?)```", document, re.DOTALL):
        assert msgspec.json.decode(example) == json.loads(example)
