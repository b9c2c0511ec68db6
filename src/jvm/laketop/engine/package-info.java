/**
 * laketop's part of the engine: a Unity Catalog of folders for Spark, and the engine's main class.
 *
 * <p>The file system is the catalog. Under the folder that {@code spark.laketop.root} names:
 *
 * <pre>{@code
 * _users.json             {"<sha256 of a token, hex>": {"user": "...", "admin": true}}
 * _grants/<TYPE>.json     {"main.sales.orders|ann@x.com": "MODIFY,SELECT"}
 * c/_catalog.json         owner and comment of the catalog c
 * c/s/_schema.json        owner, comment and properties of the schema c.s
 * c/s/t/_delta_log        the managed Delta table c.s.t: its first commit registers it
 * c/s/_tables/t.json      a table that lies elsewhere, or is not Delta
 * c/s/_views/v.json       a view; likewise _functions, _volumes and _prompts
 * c/s/_owners/t.json      what Delta has no place for; likewise _tags, _constraints, _policies
 * c/s/_files/v/           what /Volumes/c/s/v/ shows
 * _lineage/*.jsonl        what statements read and wrote, until the workspace has taken it
 * .datasets/              what /databricks-datasets shows, made when it is first read
 * .dropped/<id>/          a managed Delta table that was dropped, for seven days
 * .trash                  what is being deleted, or made
 * }</pre>
 *
 * <p>A JSON file is written beside its place, synced and renamed; a folder leaves the tree by a
 * rename. A kill at any moment therefore leaves the state before or the state after.
 */
package laketop.engine;
