"""Text from strangers, as it may be shown: bounded, and without what moves a cursor or turns the writing."""


def shown(text: str, longest: int) -> str | None:
    """The text in at most so many characters, each of them printable; nothing where none is left.

    Control characters, line ends and marks that change the direction become spaces.
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if not text.isprintable():
        text = "".join([character if character.isprintable() else " " for character in text])
    return text.strip() or None
