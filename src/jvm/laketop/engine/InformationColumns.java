package laketop.engine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.connector.catalog.Relation;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.View;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.delta.catalog.DeltaTableV2;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** What information_schema.columns tells of one table or view. */
final class InformationColumns {
  private static final String DEFAULT = "CURRENT_DEFAULT";
  private static final String GENERATED = "delta.generationExpression";
  private static final String CHARACTERS = "__CHAR_VARCHAR_TYPE_STRING";
  private static final String IDENTITY = "delta.identity.start";
  private static final String STEP = "delta.identity.step";
  private static final String EXPLICIT = "delta.identity.allowExplicitInsert";

  private final StructType schema;
  private final List<String> partitions;

  private InformationColumns(StructType schema, List<String> partitions) {
    this.schema = schema;
    this.partitions = partitions;
  }

  /** Returns those of a table from what its log has as {@code metaData}. */
  static InformationColumns of(JsonNode metadata) {
    List<String> partitions = new ArrayList<>();
    metadata.path("partitionColumns").forEach(column -> partitions.add(column.asText()));
    String schema = metadata.path("schemaString").asText();
    return new InformationColumns((StructType) DataType.fromJson(schema), partitions);
  }

  /** Returns the columns with all that Delta keeps of them, which its table tells in part. */
  @SuppressWarnings("deprecation")
  static StructType schema(Relation relation) {
    return relation instanceof View view
        ? view.schema()
        : relation instanceof DeltaTableV2 delta
            ? delta.initialSnapshot().metadata().schema()
            : ((Table) relation).schema();
  }

  static InformationColumns of(Relation relation) {
    List<String> partitions = new ArrayList<>();
    if (relation instanceof Table table) {
      for (Transform transform : table.partitioning()) {
        partitions.add(String.join(".", transform.references()[0].fieldNames()));
      }
    }
    return new InformationColumns(schema(relation), partitions);
  }

  /** Returns the rows of information_schema.columns, without the names of the table. */
  List<Object[]> rows() {
    List<Object[]> rows = new ArrayList<>();
    for (StructField field : schema.fields()) {
      rows.add(row(field, rows.size() + 1, partitions.indexOf(field.name()) + 1));
    }
    return rows;
  }

  /** Returns the type of a column as it was declared: text of a length is text to Delta. */
  static String type(StructField field) {
    return field.metadata().contains(CHARACTERS)
        ? field.metadata().getString(CHARACTERS).toUpperCase(Locale.ROOT)
        : field.dataType().sql();
  }

  /** Returns what a statement says of how the column gets its values, or nothing. */
  static String clause(StructField field) {
    Metadata told = field.metadata();
    if (told.contains(IDENTITY)) {
      return " GENERATED " + (told.getBoolean(EXPLICIT) ? "BY DEFAULT" : "ALWAYS")
          + " AS IDENTITY (START WITH " + told.getLong(IDENTITY) + " INCREMENT BY "
          + told.getLong(STEP) + ")";
    }
    return (told.contains(GENERATED)
            ? " GENERATED ALWAYS AS (" + told.getString(GENERATED) + ")"
            : "")
        + (told.contains(DEFAULT) ? " DEFAULT " + told.getString(DEFAULT) : "");
  }

  /** Returns the columns as SHOW COLUMNS IN CATALOG tells those of the table of this name. */
  List<Object[]> listed(String[] name) {
    List<Object[]> rows = new ArrayList<>();
    for (StructField field : schema.fields()) {
      DecimalType decimal = field.dataType() instanceof DecimalType d ? d : null;
      boolean number = field.dataType() instanceof NumericType;
      rows.add(new Object[] {
          field.name(), name[0], name[1], name[2], type(field),
          decimal == null ? field.dataType().defaultSize() : decimal.precision(),
          decimal == null ? 0 : decimal.scale(), number ? 10 : null,
          "" + field.nullable(),
          field.getComment().isDefined() ? field.getComment().get() : null, rows.size(),
          field.metadata().contains(IDENTITY) ? "YES" : "NO",
          field.metadata().contains(GENERATED) ? "YES" : "NO"});
    }
    return rows;
  }

  private static Object[] row(StructField field, int position, int partition) {
    Metadata told = field.metadata();
    DecimalType decimal = field.dataType() instanceof DecimalType d ? d : null;
    String full = type(field).toLowerCase(Locale.ROOT);
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
