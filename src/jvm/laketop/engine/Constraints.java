package laketop.engine;

import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.sql.connector.catalog.constraints.Constraint;

/** Primary and foreign keys: kept for readers, enforced by nobody, as on Databricks. */
final class Constraints {
  private Constraints() {}

  static void add(Path file, Constraint constraint) {
    Map<String, String> entry = JsonFiles.read(file);
    entry.put(constraint.name(), constraint.toDDL());
    JsonFiles.write(file, entry);
  }

  /** Removes the constraint of this name, if there is one. */
  static boolean remove(Path file, String name) {
    Map<String, String> entry = JsonFiles.read(file);
    if (entry.remove(name) == null) {
      return false;
    }
    JsonFiles.write(file, entry);
    return true;
  }
}
