/**
 * laketop's part of the engine: a Unity Catalog of folders for Spark, and the engine's main class.
 *
 * <p>The file system is the catalog. Under the folder that {@code spark.laketop.root} names:
 *
 * <pre>
 * _users.json                            {"&lt;sha256 of a token, hex&gt;": {"user": "...", "admin": true}}
 * _grants/&lt;TYPE&gt;.json                    {"main.sales.orders|ann@x.com": "MODIFY,SELECT"}
 * &lt;catalog&gt;/_catalog.json                owner and comment of a catalog
 * &lt;catalog&gt;/&lt;schema&gt;/_schema.json        owner, comment and properties of a schema
 * &lt;catalog&gt;/&lt;schema&gt;/&lt;table&gt;/_delta_log  a managed Delta table: its first commit registers it
 * &lt;catalog&gt;/&lt;schema&gt;/_tables/&lt;t&gt;.json    a table that lies elsewhere, or is not Delta
 * &lt;catalog&gt;/&lt;schema&gt;/_views/&lt;v&gt;.json     likewise _functions, _volumes
 * &lt;catalog&gt;/&lt;schema&gt;/_owners/&lt;t&gt;.json    likewise _tags, _constraints: what Delta has no place for
 * &lt;catalog&gt;/&lt;schema&gt;/_files/&lt;volume&gt;/    what /Volumes/&lt;catalog&gt;/&lt;schema&gt;/&lt;volume&gt;/ shows
 * .trash                                 what is being deleted
 * </pre>
 *
 * <p>A JSON file is written beside its place, synced and renamed; a folder leaves the tree by a
 * rename. A kill at any moment therefore leaves the state before or the state after.
 */
package laketop.engine;
