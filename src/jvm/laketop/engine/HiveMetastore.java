package laketop.engine;

import org.apache.spark.sql.connector.catalog.CatalogPlugin;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/** The catalog {@code hive_metastore}, which answers as where legacy access is turned off. */
public final class HiveMetastore implements CatalogPlugin {
  static final String NAME = "hive_metastore";

  @Override
  public void initialize(String name, CaseInsensitiveStringMap options) {
    throw Refusal.of("UC_HIVE_METASTORE_DISABLED_EXCEPTION",
        "hive_metastore is disabled: legacy access is off. Use a catalog of Unity Catalog, such as"
            + " main.");
  }

  @Override
  public String name() {
    return NAME;
  }
}
