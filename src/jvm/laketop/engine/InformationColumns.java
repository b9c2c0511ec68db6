package laketop.engine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.delta.catalog.DeltaTableV2;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.DayTimeIntervalType;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;
import org.apache.spark.sql.types.YearMonthIntervalType;

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
  static StructType schema(Table table) {
    return table instanceof DeltaTableV2 delta
        ? delta.initialSnapshot().metadata().schema()
        : table.schema();
  }

  static InformationColumns of(Table table) {
    List<String> partitions = new ArrayList<>();
    for (Transform transform : table.partitioning()) {
      partitions.add(String.join(".", transform.references()[0].fieldNames()));
    }
    return new InformationColumns(schema(table), partitions);
  }

  static InformationColumns of(LakeView view) {
    return new InformationColumns(view.schema(), List.of());
  }

  /** Returns whether there is a column of this name, in whatever letters. */
  boolean has(String column) {
    return Arrays.stream(schema.fieldNames()).anyMatch(column::equalsIgnoreCase);
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
    String full = type(field).toLowerCase(Locale.ROOT);
    String type = full.replaceAll("[(<].*", "").toUpperCase(Locale.ROOT);
    String generated = told.contains(GENERATED) ? told.getString(GENERATED) : null;
    return new Object[] {
        field.name(), position, told.contains(DEFAULT) ? told.getString(DEFAULT) : null,
        field.nullable() ? "YES" : "NO", full, type.equals("BIGINT") ? "LONG" : type,
        null, null, precision(field.dataType()), radix(field.dataType()), scale(field.dataType()),
        datetime(field.dataType()), interval(field.dataType()), null, null,
        told.contains(IDENTITY) ? "YES" : "NO", generated == null ? "NO" : "YES", generated,
        partition == 0 ? null : partition,
        field.getComment().isDefined() ? field.getComment().get() : null};
  }

  /** Returns the digits of a decimal, and the bits of another number. */
  private static Integer precision(DataType type) {
    boolean number = type instanceof NumericType;
    return type instanceof DecimalType decimal
        ? Integer.valueOf(decimal.precision())
        : number ? Integer.valueOf(type.defaultSize() * Byte.SIZE) : null;
  }

  private static Integer radix(DataType type) {
    boolean number = type instanceof NumericType;
    return type instanceof DecimalType ? Integer.valueOf(10) : number ? Integer.valueOf(2) : null;
  }

  private static Integer scale(DataType type) {
    boolean whole = type instanceof NumericType
        && !(type instanceof FloatType || type instanceof DoubleType);
    return type instanceof DecimalType decimal
        ? Integer.valueOf(decimal.scale())
        : whole ? Integer.valueOf(0) : null;
  }

  private static Integer datetime(DataType type) {
    String interval = interval(type);
    if (interval != null) {
      return interval.endsWith("SECOND") ? 3 : 0;
    }
    boolean moment = type instanceof TimestampType || type instanceof TimestampNTZType;
    return type instanceof DateType ? Integer.valueOf(0) : moment ? Integer.valueOf(3) : null;
  }

  /** Returns the units of an interval, such as DAY TO SECOND. */
  private static String interval(DataType type) {
    return type instanceof YearMonthIntervalType || type instanceof DayTimeIntervalType
        ? type.sql().replaceFirst("(?i)^INTERVAL ", "").toUpperCase(Locale.ROOT)
        : null;
  }
}
