"""A version runs beside the one before it (docs/running.md, "Updates without downtime"): a migration that runs before the
code only adds. What it leaves is compared with what it found, so that it does not matter how it is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, text

from notify import migrate

FIRST_VERSION: Final = "0005"
"""Migrations up to this one made the first version: there was no other to run beside."""
PHASE: Final = re.compile(r"Phase: (before|after) the code\b")
ACCEPTED: Final = {
    "2026_11_27_0200": "renames the sandbox's table, which only development and test have",
    "2026_11_27_0240": "version 0.1.0 answers a second request to unsubscribe with an error; the first one counts",
}
"""Migrations before the code that do more than add, and why that is well."""

LISTED: Final = re.compile(r"'([^']*)'::[a-z ]+(?:, )?")

COLUMNS: Final = """
SELECT c.relname || '.' || a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS is_needed,
       (d.adbin IS NOT NULL OR a.attidentity <> '') AS has_default
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
"""
RULES: Final = """
SELECT conrelid::regclass::text AS table, pg_get_constraintdef(oid) AS rule,
       (SELECT coalesce(array_agg(attname::text), '{}') FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey))
           AS columns
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype IN ('c', 'f', 'x')
UNION SELECT indrelid::regclass::text, regexp_replace(pg_get_indexdef(indexrelid), '^.* USING', 'UNIQUE'),
       (SELECT coalesce(array_agg(attname::text), '{}') FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY(indkey))
FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE indisunique AND relnamespace = 'public'::regnamespace
"""
WORDS: Final = """
SELECT t.typname || '.' || e.enumlabel AS word FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
"""


@dataclass(frozen=True)
class Column:
    type: str
    is_needed: bool
    has_default: bool


@dataclass(frozen=True)
class Rule:
    """What the rows of a table must obey: a check, a foreign key, or uniqueness. `columns` are those it is about."""

    table: str
    text: str
    columns: tuple[str, ...]

    def is_wider_than(self, older: Rule) -> bool:
        """Whether it is a list of words that has those of an older one, and more."""
        form, older_form = (LISTED.sub("", rule.text) for rule in (self, older))
        same = (self.table, self.columns, form) == (older.table, older.columns, older_form)
        return same and set(LISTED.findall(self.text)) >= set(LISTED.findall(older.text))


@dataclass(frozen=True)
class Schema:
    """Columns by `table.column`, rules, and the words of enumerations."""

    columns: dict[str, Column] = field(default_factory=dict)
    rules: frozenset[Rule] = frozenset()
    words: frozenset[str] = frozenset()

    @property
    def tables(self) -> set[str]:
        return {name.partition(".")[0] for name in self.columns}

    @classmethod
    def of(cls, connection: Connection) -> Schema:
        return cls(
            {
                row.name: Column(row.type, row.is_needed, row.has_default)
                for row in connection.execute(text(COLUMNS))
                if not row.name.startswith("alembic_version.")
            },
            frozenset(Rule(row.table, row.rule, tuple(row.columns)) for row in connection.execute(text(RULES))),
            frozenset(connection.scalars(text(WORDS))),
        )


def disturbances(before: Schema, after: Schema) -> list[str]:
    """What an older version, which knows `before`, would stumble over in `after`."""
    found = [f"{name} is gone" for name in before.columns if name not in after.columns]
    for name, column in after.columns.items():
        table = name.partition(".")[0]
        older = before.columns.get(name)
        if older is None:
            if table in before.tables and column.is_needed and not column.has_default:
                found.append(f"{name} is new and needed: an older version does not write it")
            continue
        if older.type != column.type:
            found.append(f"{name} was {older.type} and is {column.type}")
        if column.is_needed and not older.is_needed:
            found.append(f"{name} was not needed and is")
        if column.is_needed and older.has_default and not column.has_default:
            found.append(f"{name} has lost its default")
    for rule in after.rules - before.rules:
        # rows of an older version have nothing in a new column, which existing rows were allowed as well
        is_older = all(f"{rule.table}.{column}" in before.columns for column in rule.columns)
        if is_older and rule.table in before.tables and not any(map(rule.is_wider_than, before.rules)):
            found.append(f"{rule.table}: {rule.text} is new")
    found += [f"{word} is gone" for word in before.words - after.words]
    return sorted(found)


def scripts() -> list[Script]:
    """The migrations after the first version, oldest first."""
    every = list(ScriptDirectory(str(migrate.DIRECTORY)).walk_revisions())[::-1]
    at = [script.revision for script in every].index(FIRST_VERSION)
    return every[at + 1 :]


def phase_of(script: Script) -> str | None:
    found = PHASE.search(" ".join((script.module.__doc__ or "").split()))
    return found[1] if found else None


def test_every_migration_says_when_it_runs() -> None:
    assert scripts()
    assert [script.revision for script in scripts() if phase_of(script) is None] == []


def test_a_migration_before_the_code_only_adds(empty: Engine) -> None:
    migrate.upgrade(empty, FIRST_VERSION)
    problems = {}
    with empty.connect() as connection:
        before = Schema.of(connection)
    for script in scripts():
        migrate.upgrade(empty, script.revision)
        with empty.connect() as connection:
            after = Schema.of(connection)
        if phase_of(script) == "before" and (found := disturbances(before, after)):
            problems[script.revision] = found
        before = after
    assert problems.keys() == ACCEPTED.keys(), problems


OLD: Final = """
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE TABLE messages (
    id int PRIMARY KEY, note text, amount int NOT NULL DEFAULT 0, hue colour,
    kind text CONSTRAINT kind CHECK (kind IN ('sms', 'email')));
"""


CHANGES: Final = [
    ("DROP TABLE messages", "messages.amount is gone"),
    ("ALTER TABLE messages DROP COLUMN note", "messages.note is gone"),
    ("ALTER TABLE messages RENAME COLUMN note TO remark", "messages.note is gone"),
    ("ALTER TABLE messages ALTER note TYPE varchar(9)", "messages.note was text and is character varying(9)"),
    ("ALTER TABLE messages ALTER note SET NOT NULL", "messages.note was not needed and is"),
    ("ALTER TABLE messages ALTER amount DROP DEFAULT", "messages.amount has lost its default"),
    ("ALTER TABLE messages ADD size int NOT NULL", "messages.size is new and needed: an older version does not write it"),
    ("ALTER TABLE messages ADD CHECK (amount > 0)", "messages: CHECK ((amount > 0)) is new"),
    ("CREATE UNIQUE INDEX one ON messages (note)", "messages: UNIQUE btree (note) is new"),
    ("ALTER TABLE messages ADD size int NOT NULL DEFAULT 1", None),
    ("ALTER TABLE messages ADD size int", None),
    ("ALTER TABLE messages ADD other int REFERENCES messages (id)", None),
    ("ALTER TYPE colour ADD VALUE 'green'", None),
    ("CREATE TABLE others (id int NOT NULL, size int NOT NULL UNIQUE)", None),
    ("CREATE INDEX another ON messages (note)", None),
    ("ALTER TABLE messages DROP CONSTRAINT kind, ADD CHECK (kind IN ('sms', 'email', 'letter'))", None),
    (
        "ALTER TABLE messages DROP CONSTRAINT kind, ADD CHECK (kind IN ('sms', 'letter'))",
        "messages: CHECK ((kind = ANY (ARRAY['sms'::text, 'letter'::text]))) is new",
    ),
    ("ALTER TABLE messages ALTER amount DROP NOT NULL", None),
]  # fmt: skip
"""A change of the tables, and what an older version would stumble over, if anything."""


def test_what_an_older_version_stumbles_over(empty: Engine) -> None:
    with empty.connect() as connection, connection.begin():
        connection.execute(text(OLD))
        before = Schema.of(connection)
        found = {}
        for change, _ in CHANGES:
            attempt = connection.begin_nested()
            connection.execute(text(change))
            found[change] = next(iter(disturbances(before, Schema.of(connection))), None)
            attempt.rollback()
    assert found == dict(CHANGES)
