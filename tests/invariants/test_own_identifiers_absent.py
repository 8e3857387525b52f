"""own_identifiers_absent: cases."""

_PEOPLE = (
    "SELECT * FROM (VALUES (1, 'Lovelace, Ada-King', 'ada@example.org'), (2, 'Bo Card', NULL), "
    "(NULL, 'Cy', 'cy@x.org')) AS v(id, name, email)"
)
_OTHER = "SELECT * FROM (VALUES ('1', 'A.B*(c)'), ('3', 'p\\Q7')) AS v(person, number)"
_KNOWN = {"reference": "input", "subject": "id", "identifiers": ["id", "name", "email"], "names": ["name"]}
_ASKS = {"column": "note", "subject": "id", "known": [_KNOWN], "placeholders": ["[subject]", "[card]"]}
_MORE = _ASKS | {"known": [_KNOWN, {"reference": "other", "subject": "person", "identifiers": ["number"]}]}


def _quoted(text):
    return "NULL" if text is None else "'" + text + "'"


def _notes(*notes):
    rows = ", ".join(f"({person}, {_quoted(text)})" for person, text in notes)
    return f"SELECT * FROM (VALUES {rows}) AS v(id, note)"


KEPT = [
    {
        "asks": _ASKS,
        "output": _notes(
            (1, "[subject] and Bo were there, adamant"), (1, None), (2, "her [card], the bold one"), (9, "Ada")
        ),
        "input": _PEOPLE,
        "numbers": {"rows": 4, "looked_at": 3, "identifiers": 8, "found": 0},
    },
    {
        "asks": _MORE,
        "output": _notes((1, "A B c"), (3, "P Q7x")),
        "input": _PEOPLE,
        "other": _OTHER,
        "numbers": {"looked_at": 2, "identifiers": 10},
    },
]
BROKEN = [
    {"asks": _ASKS, "output": _notes((1, "for ADA, again")), "input": _PEOPLE, "numbers": {"found": 1}},
    {"asks": _ASKS, "output": _notes((1, "to Love lace,Ada-  King!")), "input": _PEOPLE, "numbers": {"found": 4}},
    {"asks": _ASKS, "output": _notes((2, "told Bó, at once")), "input": _PEOPLE, "numbers": {"found": 1}},
    {"asks": _ASKS, "output": _notes((1, "K\u00adi\u200bng")), "input": _PEOPLE, "numbers": {"found": 1}},
    {"asks": _ASKS, "output": _notes((2, "[card] of Card"), (2, "x")), "input": _PEOPLE, "numbers": {"found": 1}},
    {"asks": _ASKS, "output": _notes((1, "(ada@EXAMPLE.org)")), "input": _PEOPLE, "numbers": {"found": 2}},
    {
        "asks": _MORE,
        "output": _notes((1, "is a. b*(C) here"), (3, "P\\q7")),
        "input": _PEOPLE,
        "other": _OTHER,
        "numbers": {"found": 2},
    },
]
