package laketop.engine;

import io.unitycatalog.laketop.FolderCatalog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.TableCatalog;

/** The making of one table: alone while it lasts, and without a trace when it fails. */
final class Creation implements AutoCloseable {
  private final FolderCatalog catalog;
  private final Identifier id;
  private final Path place;
  private boolean existed;
  private boolean done;
  private boolean closed;
  /** What policies the table had before those that it is to be made with, or null. */
  private Map<String, String> policies;

  private Creation(FolderCatalog catalog, Identifier id) {
    this.catalog = catalog;
    this.id = id;
    this.place = catalog.tableFolder(id);
  }

  /** Begins to make a new table, or to replace one where {@code replace} says so. */
  static Creation begin(FolderCatalog catalog, Identifier id, boolean replace) {
    if (!catalog.namespaceExists(id.namespace())) {
      throw Lake.sneak(NameErrors.noSchema(catalog.name(), id.namespace()));
    }
    Creation creation = new Creation(catalog, id);
    Claims.take(creation.place);
    creation.existed = catalog.tableExists(id);
    creation.done = creation.existed;
    try {
      creation.requireFree(replace);
      creation.requirePrivilege();
      if (!creation.existed) {
        if (Files.exists(creation.place) && catalog.holdsAnother(id)) {
          throw Refusal.of("UNSUPPORTED_FEATURE", "A table that had the name `" + id.name()
              + "`, and is none of Delta, has its files there: give the new one another name.");
        }
        Folders.discard(creation.place);
        catalog.forgetExtras(id); // of one of this name, when a kill left them
        Grants.forget("TABLE", String.join(".", catalog.full(id)));
      }
      return creation;
    } catch (Throwable e) {
      Claims.release(creation.place);
      throw e;
    }
  }

  private void requireFree(boolean replace) {
    if (existed && !replace || Files.exists(catalog.entry("views", id))) {
      throw Lake.sneak(NameErrors.tableTaken(catalog.name(), id));
    }
  }

  private void requirePrivilege() {
    if (existed) {
      Access.table("MANAGE", catalog.name(), id);
    } else {
      Access.schema("CREATE TABLE", catalog.name(), id.namespace()[0]);
    }
  }

  /**
   * Returns the properties with those that make Delta put the table in its own folder, and without
   * the policies: from here on they are the table's, so that nobody reads it without them.
   */
  Map<String, String> placed(Map<String, String> properties, Column[] columns) {
    requireDelta(properties);
    Map<String, String> placed = new HashMap<>(properties);
    String given = placed.remove(PolicyClauses.PROPERTY);
    if (given != null) {
      Map<String, String> wanted = Policies.given(given, columns);
      policies = JsonFiles.read(policies());
      Lake.change(policies(), entries -> entries.putAll(wanted));
    }
    if (!properties.containsKey(TableCatalog.PROP_LOCATION)) {
      placed.putIfAbsent(TableCatalog.PROP_PROVIDER, "delta");
      placed.put(TableCatalog.PROP_LOCATION, Lake.location(place));
      placed.put(TableCatalog.PROP_IS_MANAGED_LOCATION, "true");
    }
    return placed;
  }

  /** Unity Catalog keeps other files only where somebody says that they lie. */
  private static void requireDelta(Map<String, String> properties) {
    String provider = properties.getOrDefault(TableCatalog.PROP_PROVIDER, "delta");
    if (!properties.containsKey(TableCatalog.PROP_LOCATION) && !provider.equalsIgnoreCase("delta")) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "A managed table is one of Delta, not of " + provider
          + ": leave USING " + provider + " out, or add the LOCATION of an external table.");
    }
  }

  private Path policies() {
    return catalog.entry("policies", id);
  }

  /** Says that the table is committed; {@code rest} is what belongs to it beside Delta's log. */
  void commit(Runnable rest) {
    policies = existed ? null : policies;
    rest.run();
    if (!existed) {
      Access.own(catalog.name(), id);
    }
    done = true;
  }

  /** Ends it; a new table that was not committed whole is gone afterwards. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      takePoliciesBack();
      if (!done && !catalog.removeTable(id)) {
        Folders.discard(place);
      }
    } finally {
      Claims.release(place);
    }
  }

  private void takePoliciesBack() {
    if (policies == null || done && !existed) {
      return;
    }
    if (policies.isEmpty()) {
      JsonFiles.delete(policies());
    } else {
      JsonFiles.write(policies(), policies);
    }
  }
}
