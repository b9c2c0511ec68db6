"""What a task reads from its arguments."""

from __future__ import annotations

import pytest

from flights.parameters import Parameters, read


def test_arguments_of_the_job_are_read_and_others_passed_over() -> None:
    run = read(["--catalog=prod", "--origin=", "--somebody_elses=1", "--endpoint=a=b"])
    assert run == Parameters(catalog="prod", origin="", endpoint="a=b")


@pytest.mark.parametrize("argument", ["catalog=dev", "--catalog", "dev"])
def test_an_argument_of_another_form_is_an_error(argument: str) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        read([argument])


def test_names_are_of_the_catalog_and_schema() -> None:
    run = Parameters(catalog="prod", schema="flights")
    assert run.table("weather") == "prod.flights.weather"
    assert run.model == "prod.flights.delay"


def test_a_run_that_is_told_of_a_model_works_in_its_schema() -> None:
    run = read(["--catalog=dev", "--model_name=prod.air.delay", "--model_version=3"])
    assert (run.full_schema, run.model) == ("prod.air", "prod.air.delay")
    assert read(["--catalog=dev", "--model_name="]).model == "dev.flights.delay"


def test_retraining_learns_from_more_months_and_never_starts_over() -> None:
    first = Parameters(replay="true")
    again = Parameters(replay="true", retrain_through="2013-06")
    assert first.training_months == ("2013-01", "2013-02", "2013-03")
    assert first.starts_over
    assert again.training_months[-1] == "2013-06"
    assert again.retraining
    assert not again.starts_over


def test_figures_of_retraining_belong_to_the_run_that_asked_for_it() -> None:
    assert Parameters(run="7", retraining_run="8").run_name == "7"
    assert Parameters(run="", retraining_run="8").run_name == "8"
