package laketop.engine;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Spliterators;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.io.Text;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.util.FailFastMode$;
import org.apache.spark.sql.catalyst.util.ParseMode;
import org.apache.spark.sql.catalyst.util.PermissiveMode$;
import org.apache.spark.sql.execution.datasources.HadoopFileLinesReader;
import org.apache.spark.sql.execution.datasources.PartitionedFile;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;
import org.apache.spark.util.SerializableConfiguration;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/** What a read of files is to give: which columns of which schema, and how values are written. */
final class RescuedReading implements Serializable {
  private static final long serialVersionUID = 1;
  private static final String MALFORMED = "_corrupt_record";

  private final HashMap<String, String> options;
  private final StructType wanted;
  private final StructType typed;
  private final HashSet<String> partitions;
  private final String rescued;
  private final String corrupt;
  private final String zone;
  private final boolean sensitive;
  private final boolean told;
  private final SerializableConfiguration hadoop;

  /** Takes the schema of the files, of which the wanted columns are read. */
  RescuedReading(org.apache.spark.sql.SparkSession session, Map<String, String> given,
      StructType schema, StructType partitions, StructType wanted, Configuration hadoop) {
    options = new HashMap<>(given);
    Map<String, String> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    all.putAll(given);
    rescued = all.get(RescuedFormat.OPTION);
    sensitive = !"false".equalsIgnoreCase(all.get("readerCaseSensitive"));
    corrupt = all.getOrDefault("columnNameOfCorruptRecord",
        session.conf().get("spark.sql.columnNameOfCorruptRecord"));
    zone = session.conf().get("spark.sql.session.timeZone");
    told = !"false".equalsIgnoreCase(
        session.conf().get("spark.databricks.sql.rescuedDataColumn.filePath.enabled", "true"));
    this.wanted = wanted;
    this.partitions = new HashSet<>(List.of(partitions.fieldNames()));
    this.hadoop = new SerializableConfiguration(hadoop);
    List<StructField> rest = new ArrayList<>(List.of(schema.fields()));
    rest.removeIf(field -> field.name().equals(rescued) || field.name().equals(corrupt));
    typed = new StructType(rest.toArray(StructField[]::new));
  }

  scala.collection.immutable.Map<String, String> options() {
    return scala.collection.immutable.Map.from(CollectionConverters.asScala(options));
  }

  /** Returns the columns that files hold, which are all but those that tell of a record. */
  StructType typed() {
    return typed;
  }

  String zone() {
    return zone;
  }

  String corrupt() {
    return corrupt;
  }

  Configuration hadoop() {
    return hadoop.value();
  }

  /** Returns whether the case of letters counts in the names of columns. */
  boolean sensitive() {
    return sensitive;
  }

  /** Returns the column of this name, or null: with the case of its letters, if that counts. */
  String column(String name) {
    for (String column : typed.fieldNames()) {
      if (sensitive ? column.equals(name) : column.equalsIgnoreCase(name)) {
        return column;
      }
    }
    return null;
  }

  /** Returns whether the folders of the files say the value of this column. */
  boolean ofFolders(String name) {
    return partitions.contains(name);
  }

  /** Returns the lines of a file. */
  Iterator<String> lines(PartitionedFile file, Option<byte[]> separator, String charset) {
    HadoopFileLinesReader reader = new HadoopFileLinesReader(file, separator, hadoop());
    Option.apply(TaskContext.get()).foreach(
        task -> task.addTaskCompletionListener(ended -> {
          reader.close();
          return null;
        }));
    Charset letters = Charset.forName(charset);
    Iterator<Text> lines = CollectionConverters.asJava(reader);
    return stream(lines)
        .map(line -> new String(line.getBytes(), 0, line.getLength(), letters))
        .iterator();
  }

  static <T> Stream<T> stream(Iterator<T> each) {
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(each, 0), false);
  }

  /** Returns the rows of the wanted columns, as the mode treats malformed records. */
  Iterator<InternalRow> rows(Iterator<Rescued> records, ParseMode mode, PartitionedFile file) {
    String path = file.toPath().toString();
    return stream(records)
        .filter(record -> record.malformed() == null || kept(record, mode, path))
        .map(record -> row(record, path))
        .iterator();
  }

  private static boolean kept(Rescued record, ParseMode mode, String path) {
    if (mode == FailFastMode$.MODULE$) {
      throw AutoLoader.error("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
          "A record of " + path + " is malformed: " + record.malformed());
    }
    return mode == PermissiveMode$.MODULE$;
  }

  private InternalRow row(Rescued record, String path) {
    Object[] values = new Object[wanted.size()];
    for (int i = 0; i < values.length; i++) {
      StructField field = wanted.apply(i);
      if (field.name().equals(rescued)) {
        values[i] = text(record, path);
      } else if (field.name().equals(corrupt)) {
        values[i] = UTF8String.fromString(record.malformed());
      } else if (record.row() != null) {
        values[i] = record.row().get(typed.fieldIndex(field.name()), field.dataType());
      }
    }
    return new GenericInternalRow(values);
  }

  private UTF8String text(Rescued record, String path) {
    ObjectNode all = JsonNodeFactory.instance.objectNode();
    if (record.rest() != null) {
      all.setAll(record.rest());
    }
    if (record.malformed() != null && wanted.getFieldIndex(corrupt).isEmpty()) {
      all.put(MALFORMED, record.malformed());
    }
    if (all.isEmpty()) {
      return null;
    }
    if (told) {
      all.put("_file_path", path);
    }
    return UTF8String.fromString(all.toString());
  }
}
