package laketop.engine;

import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** The types that a user gives to some columns of files, over those that were found. */
final class SchemaHints {
  private SchemaHints() {}

  /** Returns the columns found, as the hints type them, and after them those only hinted at. */
  static StructType over(StructType found, String hints) {
    StructType given = hints == null ? new StructType() : StructType.fromDDL(hints);
    StructType columns = new StructType();
    for (StructField field : found.fields()) {
      columns = columns.add(hinted(field, given));
    }
    for (StructField hint : given.fields()) {
      if (columns.getFieldIndex(hint.name()).isEmpty()) {
        columns = columns.add(hint);
      }
    }
    return columns;
  }

  private static StructField hinted(StructField field, StructType hints) {
    for (StructField hint : hints.fields()) {
      if (hint.name().equalsIgnoreCase(field.name())) {
        return hint;
      }
    }
    return field;
  }
}
