"""Only what a read model's readers miss says that it is being built; any other table that is missing was lost."""

import asyncpg
import pytest

from bus.read_store.generations import gone
from bus.read_store.read_model import ReadModel

MODEL = ReadModel("copy_of_words_2", [], ("word", "checkpoint", "parked"), {})


@pytest.mark.parametrize(
    "message",
    [
        'relation "word" does not exist',
        'relation "copy_of_words_2.word" does not exist',
        'relation "generation" does not exist',
        "Relation »checkpoint« existiert nicht",
        "la relation « copy_of_words_2.parked » n'existe pas",
    ],
)
def test_a_view_that_is_missing_says_that_the_read_model_is_being_built(message: str) -> None:
    assert gone(asyncpg.UndefinedTableError(message), MODEL)


def test_a_home_that_is_missing_says_that_the_read_model_is_being_built() -> None:
    assert gone(asyncpg.InvalidSchemaNameError('schema "copy_of_words_2" does not exist'), MODEL)
    assert not gone(asyncpg.InvalidSchemaNameError('schema "copy_of_words_21" does not exist'), MODEL)


@pytest.mark.parametrize(
    "message",
    [
        'relation "journal" does not exist',
        'relation "lease" does not exist',
        'relation "words" does not exist',
        'relation "public.word" does not exist',
        'relation "copy_of_words_1.word" does not exist',
        'relation "copy_of_words_2.lease" does not exist',
        'relation "word.journal" does not exist',
    ],
)
def test_another_table_that_is_missing_does_not(message: str) -> None:
    assert not gone(asyncpg.UndefinedTableError(message), MODEL)


def test_another_error_that_names_a_view_does_not() -> None:
    assert not gone(asyncpg.UndefinedColumnError('column "it" of relation "word" does not exist'), MODEL)
