package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.connector.catalog.Relation;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.View;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** What information_schema.columns tells of one table or view. */
final class InformationColumns {
  private static final String DEFAULT = "CURRENT_DEFAULT";
  private static final String GENERATED = "delta.generationExpression";
  private static final String IDENTITY = "delta.identity.start";

  private InformationColumns() {}

  @SuppressWarnings("deprecation")
  static List<Object[]> of(Relation relation) {
    StructType schema =
        relation instanceof View view ? view.schema() : ((Table) relation).schema();
    List<String> partitions = new ArrayList<>();
    if (relation instanceof Table table) {
      for (Transform transform : table.partitioning()) {
        partitions.add(String.join(".", transform.references()[0].fieldNames()));
      }
    }
    List<Object[]> rows = new ArrayList<>();
    for (StructField field : schema.fields()) {
      rows.add(row(field, rows.size() + 1, partitions.indexOf(field.name()) + 1));
    }
    return rows;
  }

  private static Object[] row(StructField field, int position, int partition) {
    Metadata told = field.metadata();
    DecimalType decimal = field.dataType() instanceof DecimalType d ? d : null;
    String full = field.dataType().sql().toLowerCase(Locale.ROOT);
    String type = full.replaceAll("[(<].*", "").toUpperCase(Locale.ROOT);
    String generated = told.contains(GENERATED) ? told.getString(GENERATED) : null;
    return new Object[] {
        field.name(), position, told.contains(DEFAULT) ? told.getString(DEFAULT) : null,
        field.nullable() ? "YES" : "NO", full, type.equals("BIGINT") ? "LONG" : type,
        decimal == null ? null : decimal.precision(), decimal == null ? null : decimal.scale(),
        told.contains(IDENTITY) ? "YES" : "NO", generated == null ? "NO" : "YES", generated,
        partition == 0 ? null : partition,
        field.getComment().isDefined() ? field.getComment().get() : null};
  }
}
