from __future__ import annotations

from .conftest import MakeBundle

HEAD = "bundle: {name: x}\nresources: {dashboards: {d: {display_name: n, warehouse_id: w, "


def test_a_dashboard_is_the_text_of_its_file(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(HEAD + "file_path: d.lvdash.json}}}", {"d.lvdash.json": '{"pages": []}'})
    body = bundle.resource("dashboards", "d").body
    assert body["serialized_dashboard"] == '{"pages": []}'
    assert "file_path" not in body


def test_a_dashboard_may_be_written_in_the_bundle(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(HEAD + "serialized_dashboard: {pages: [1]}}}}")
    assert bundle.resource("dashboards", "d").body["serialized_dashboard"] == '{"pages":[1]}'


def test_a_file_that_is_missing_or_one_too_many_is_an_error(make_bundle: MakeBundle) -> None:
    missing = make_bundle(HEAD + "file_path: d.json}}}")
    assert [p.message for p in missing.errors] == ["file d.json not found"]
    both = make_bundle(HEAD + "file_path: d.json, serialized_dashboard: x}}}")
    assert [p.message for p in both.errors] == ["d has both file_path and serialized_dashboard"]
