from __future__ import annotations

from .conftest import MakeBundle


def test_a_secret_scope_has_the_words_of_its_create_call(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        resources:
          secret_scopes:
            s:
              name: keys
              backend_type: AZURE_KEYVAULT
              keyvault_metadata: {resource_id: r, dns_name: d}
              lifecycle: {prevent_destroy: true}
              permissions: [{level: READ, group_name: users}]
    """)
    resource = bundle.resource("secret_scopes", "s")
    assert resource.body == {
        "scope": "keys",
        "scope_backend_type": "AZURE_KEYVAULT",
        "backend_azure_keyvault": {"resource_id": "r", "dns_name": "d"},
    }
    assert resource.prevent_destroy
    assert resource.permissions == (
        {"group_name": "users", "permission_level": "READ"},
        {"user_name": "me@laketop.local", "permission_level": "MANAGE"},
    )


def test_a_volume_in_a_schema_of_the_bundle_follows_it(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        targets: {dev: {mode: development}}
        resources:
          schemas: {s: {catalog_name: main, name: ml}}
          volumes: {v: {catalog_name: main, schema_name: ml, name: raw}}
          jobs:
            j:
              parameters:
                - {name: place, default: "${resources.volumes.v.volume_path}/x"}
                - {name: schema, default: "${resources.schemas.s.full_name}"}
    """)
    volume = bundle.resource("volumes", "v")
    assert volume.body["schema_name"] == "dev_me_ml"
    assert volume.depends_on == {"schemas.s"}
    assert [parameter["default"] for parameter in bundle.job("j").body["parameters"]] == [
        "/Volumes/main/dev_me_ml/raw/x",
        "main.dev_me_ml",
    ]
    assert [resource.name for resource in bundle.ordered] == ["schemas.s", "volumes.v", "jobs.j"]


def test_run_as_goes_to_jobs_and_pipelines_that_have_none(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        run_as: {service_principal_name: robot}
        resources:
          jobs:
            own: {run_as: {user_name: jane}}
            other: {}
          pipelines: {p: {name: p}}
    """)
    assert bundle.job("own").body["run_as"] == {"user_name": "jane"}
    assert bundle.job("other").body["run_as"] == {"service_principal_name": "robot"}
    pipeline = bundle.resource("pipelines", "p")
    assert pipeline.body["run_as"] == {"service_principal_name": "robot"}


def test_a_schema_whose_key_no_reference_can_name_is_not_followed(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        resources:
          schemas: {the lake: {catalog_name: main, name: ml}}
          volumes: {v: {catalog_name: main, schema_name: ml, name: raw}}
    """)
    assert bundle.resource("volumes", "v").body["schema_name"] == "ml"
