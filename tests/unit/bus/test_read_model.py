"""A read model's names: of its home, its generations, and what stands beside them."""

import pytest
from sqlalchemy import Column, Index, MetaData, Table, Uuid

from bus.read_store.read_model import ReadModel, definition_of, generation_of, schema_of


def model(name: str) -> ReadModel:
    """Return a read model of nothing."""
    return ReadModel(name, (), ("checkpoint", "parked"), {})


@pytest.mark.parametrize(
    "name", ["catalogue", "catalogue_0", "catalogue_1_g2", "Catalogue_1", "1_1", "", 'x"_1', "x_1_1"]
)
def test_a_name_without_a_version_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        model(name)


def test_a_read_model_of_which_nobody_could_tell_how_far_it_has_come_is_refused() -> None:
    with pytest.raises(ValueError, match="copy_1 does not show parked"):
        ReadModel("copy_1", (), ("copy", "checkpoint"), {})


def test_a_generation_is_found_by_its_schema_and_only_in_its_own_read_model() -> None:
    assert model("read_model_2").schema(13) == "read_model_2_g13" == schema_of("read_model_2", 13)
    assert model("read_model_2").search_path(13) == "read_model_2_g13, read_model_2"
    assert generation_of("read_model_2", "read_model_2_g13") == 13
    for schema in (
        "read_model_2",
        "read_model_2_g",
        "read_model_2_g0",
        "read_model_22_g1",
        "read_model_2_g1x",
        "public",
    ):
        assert generation_of("read_model_2", schema) is None


def test_versions_are_told_apart_from_other_read_models_and_from_generations() -> None:
    own = model("read_model_12")
    assert own.version == 12
    assert own.version_of("read_model_2") == 2
    for home in ("read_model_x", "other_model_2", "read_model_2_g1", "read_model"):
        assert own.version_of(home) is None


def test_a_definition_makes_tables_before_their_indexes() -> None:
    metadata = MetaData()
    column = Column("id", Uuid, primary_key=True)
    Table("thing", metadata, column, Index("thing_by_id", column))
    table, index = definition_of(metadata)
    assert table.strip().startswith("CREATE TABLE thing")
    assert index.startswith("CREATE INDEX thing_by_id")
