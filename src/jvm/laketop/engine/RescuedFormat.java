package laketop.engine;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.mapreduce.Job;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.plans.logical.UnresolvedDataSource;
import org.apache.spark.sql.execution.datasources.FileFormat;
import org.apache.spark.sql.execution.datasources.OutputWriterFactory;
import org.apache.spark.sql.execution.datasources.PartitionedFile;
import org.apache.spark.sql.sources.Filter;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import scala.Function1;
import scala.Option;
import scala.collection.Iterator;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/**
 * A format of files whose reader keeps what does not fit the schema, in a column of JSON texts.
 *
 * <p>A text holds the values whose type is another, those of columns that the schema has not, and
 * {@code _file_path}. Columns are found by their names, in CSV by those of each file's header. A
 * file is read by one task.
 *
 * <p>Source: Databricks' documentation of the option {@code rescuedDataColumn}.
 */
abstract class RescuedFormat implements FileFormat {
  static final String OPTION = "rescuedDataColumn";
  private static final Map<String, Class<? extends RescuedFormat>> FORMATS =
      Map.of("json", RescuedJson.class, "csv", RescuedCsv.class);

  /** Returns Spark's format of the same files. */
  abstract FileFormat plain();

  abstract java.util.Iterator<InternalRow> rows(RescuedReading reading, PartitionedFile file);

  /** Returns the name by which Spark finds the reader of a format, or null if there is none. */
  static String of(String format) {
    Class<?> reader = FORMATS.get(format);
    return reader == null ? null : reader.getName();
  }

  /** Returns an error for a format whose values nothing rescues. */
  static RuntimeException refusal(String format) {
    return Refusal.of("UNSUPPORTED_FEATURE", "What does not fit a schema is rescued from json and"
        + " csv, not from " + format + ": leave " + OPTION + " out.");
  }

  /** Returns the read by the format that rescues, where it has the option. */
  static UnresolvedDataSource resolved(UnresolvedDataSource read) {
    String format = of(read.format().toLowerCase(Locale.ROOT));
    String column = read.options().get(OPTION).getOrElse(() -> null);
    if (format == null || column == null) {
      return read;
    }
    Option<StructType> schema = read.userSpecifiedSchema().map(given -> with(given, column));
    return read.copy(format, schema, read.options(), read.isStreaming(), read.paths());
  }

  static StructType with(StructType schema, String column) {
    return schema.getFieldIndex(column).isDefined()
        ? schema
        : schema.add(column, DataTypes.StringType);
  }

  @Override
  public Option<StructType> inferSchema(SparkSession session,
      scala.collection.immutable.Map<String, String> options, Seq<FileStatus> files) {
    Map<String, String> given = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    given.putAll(CollectionConverters.asJava(options));
    return plain().inferSchema(session, options, files)
        .map(found -> with(found, given.get(OPTION)));
  }

  @Override
  public OutputWriterFactory prepareWrite(SparkSession session, Job job,
      scala.collection.immutable.Map<String, String> options, StructType schema) {
    throw new UnsupportedOperationException(this + " is only read.");
  }

  @Override
  public Function1<PartitionedFile, Iterator<InternalRow>> buildReader(SparkSession session,
      StructType schema, StructType partitions, StructType wanted, Seq<Filter> filters,
      scala.collection.immutable.Map<String, String> options, Configuration hadoop) {
    Map<String, String> given = new HashMap<>(CollectionConverters.asJava(options));
    return new Reader(
        this, new RescuedReading(session, given, schema, partitions, wanted, hadoop));
  }

  @Override
  public String toString() {
    return plain().toString();
  }

  @Override
  public boolean equals(Object other) {
    return other != null && getClass() == other.getClass();
  }

  @Override
  public int hashCode() {
    return getClass().hashCode();
  }

  /** Reads one file; it goes to the task that does so. */
  private static final class Reader
      extends AbstractFunction1<PartitionedFile, Iterator<InternalRow>>
      implements java.io.Serializable {
    private static final long serialVersionUID = 1;
    private final Class<? extends RescuedFormat> format;
    private final RescuedReading reading;

    Reader(RescuedFormat format, RescuedReading reading) {
      this.format = format.getClass();
      this.reading = reading;
    }

    @Override
    public Iterator<InternalRow> apply(PartitionedFile file) {
      try {
        RescuedFormat made = format.getDeclaredConstructor().newInstance();
        return CollectionConverters.asScala(made.rows(reading, file));
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
