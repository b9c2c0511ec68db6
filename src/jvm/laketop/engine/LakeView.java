package laketop.engine;

import java.util.Map;
import org.apache.spark.sql.types.StructType;

/**
 * A view as it is kept: the text of its query, and all that the query meant when it was written.
 *
 * @param columns the names of the query's columns, in the order of those of {@code schema}
 * @param mode what becomes of the columns when those of the query change, as in WITH SCHEMA mode
 */
public record LakeView(
    StructType schema,
    Map<String, String> properties,
    String query,
    String catalog,
    String[] namespace,
    Map<String, String> configs,
    String mode,
    String[] columns) {
  LakeView with(Map<String, String> others) {
    return new LakeView(schema, others, query, catalog, namespace, configs, mode, columns);
  }

  LakeView with(String another) {
    return new LakeView(
        schema, properties, query, catalog, namespace, configs, another, columns);
  }
}
