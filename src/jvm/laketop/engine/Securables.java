package laketop.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;

/** The objects that privileges are granted on. */
final class Securables {
  private Securables() {}

  /** Refuses an object that is not there. */
  static void require(SparkSession session, String type, String[] name) {
    if (type.equals(Grants.METASTORE)) {
      return;
    }
    Catalogs.existing(name[0]);
    if (name.length > 1 && !Files.isDirectory(Lake.schema(name[0], name[1]))) {
      throw Refusal.missing("SCHEMA_NOT_FOUND", "schema", name[0], name[1]);
    }
    switch (type) {
      case "TABLE" -> {
        if (!relation(session, name)) {
          throw Refusal.missing("TABLE_OR_VIEW_NOT_FOUND", "table or view", name);
        }
      }
      case "VOLUME" -> entry("volumes", "UC_VOLUME_NOT_FOUND", "volume", name);
      case "FUNCTION" -> {
        if (!Files.isDirectory(model(name))) {
          entry("functions", "ROUTINE_NOT_FOUND", "function or model", name);
        }
      }
      default -> { }
    }
  }

  /** Returns the folder of a registered model, which the workspace keeps; grants call it a function. */
  static Path model(String[] name) {
    return Lake.root().resolveSibling("models").resolve(Path.of(name[0], name[1], name[2]));
  }

  private static void entry(String kind, String condition, String word, String[] name) {
    if (!Files.exists(Lake.entry(kind, name))) {
      throw Refusal.missing(condition, word, name);
    }
  }

  private static boolean relation(SparkSession session, String[] name) {
    Identifier id = Identifier.of(new String[] {name[1]}, name[2]);
    return session.sessionState().catalogManager().catalog(name[0]) instanceof LakeCatalog lake
        && (lake.viewExists(id) || lake.tableExists(id));
  }
}
