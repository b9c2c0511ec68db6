package laketop.engine;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.connector.catalog.SupportsRead;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.read.LocalScan;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Rows in memory, as a table and as a statement's result.
 *
 * <p>A column is text; with {@code :I} an int, with {@code :L} a bigint, with {@code :T} a time,
 * with {@code :B} a boolean.
 */
public final class Rows implements LocalScan, Table, SupportsRead {
  private final String name;
  private final StructType schema;
  private Supplier<List<Object[]>> given;
  private InternalRow[] rows;

  Rows(String name, String[] columns, List<Object[]> rows) {
    this(name, columns, () -> rows);
  }

  /** Makes the rows when they are first read: not for who only looks at the columns. */
  Rows(String name, String[] columns, Supplier<List<Object[]>> rows) {
    this.name = name;
    StructType schema = new StructType();
    for (String column : columns) {
      int colon = column.indexOf(':');
      String label = colon < 0 ? column : column.substring(0, colon);
      schema = schema.add(label, type(column.substring(label.length())));
    }
    this.schema = schema;
    this.given = rows;
  }

  private static DataType type(String suffix) {
    return switch (suffix) {
      case ":T" -> DataTypes.TimestampType;
      case ":L" -> DataTypes.LongType;
      case ":B" -> DataTypes.BooleanType;
      case ":I" -> DataTypes.IntegerType;
      default -> DataTypes.StringType;
    };
  }

  private static InternalRow internal(Object[] row) {
    return new GenericInternalRow(Arrays.stream(row)
        .map(value -> value instanceof String text ? UTF8String.fromString(text) : value)
        .toArray());
  }

  @Override
  public StructType readSchema() {
    return schema;
  }

  @Override
  public synchronized InternalRow[] rows() {
    if (rows == null) {
      rows = given.get().stream().map(Rows::internal).toArray(InternalRow[]::new);
      given = null;
    }
    return rows;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  @SuppressWarnings("deprecation")
  public StructType schema() {
    return schema;
  }

  @Override
  public Set<TableCapability> capabilities() {
    return Set.of(TableCapability.BATCH_READ);
  }

  @Override
  public ScanBuilder newScanBuilder(CaseInsensitiveStringMap options) {
    return () -> this;
  }
}
