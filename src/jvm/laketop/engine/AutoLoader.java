package laketop.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.analysis.AnalysisContext$;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.streaming.Source;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Auto Loader: new files of a folder as a stream, their schema inferred, kept and evolved.
 *
 * <p>It is Spark's stream of files. Where a value does not fit an inferred type, and its format or
 * the mode has nothing rescued, the stream fails rather than lose it.
 */
public final class AutoLoader {
  private static final String PREFIX = "cloudfiles.";
  static final String RESCUED = "_rescued_data";
  private static final Set<String> FORMATS =
      Set.of("json", "csv", "parquet", "orc", "text", "binaryfile", "xml");
  static final Set<String> TEXTS = Set.of("json", "csv", "xml");
  /** What only says how to find files, or to whom to speak for that. */
  private static final Set<String> IDLE = Set.of("usenotifications", "useincrementallisting",
      "usemanagedfileevents", "fetchparallelism", "backfillinterval", "validateoptions",
      "includeexistingfiles", "allowoverwrites", "schemalocation", "schemahints",
      "schemaevolutionmode", "infercolumntypes", "format", "maxfilespertrigger",
      "maxbytespertrigger");

  private final SparkSession session;
  private final Map<String, String> own = new TreeMap<>();
  private final Map<String, String> reading = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
  private final String path;
  private final String format;

  /** Reads the options; refuses those that nothing here follows. */
  public AutoLoader(SparkSession session, Map<String, String> options) {
    this.session = session;
    options.forEach((name, value) -> {
      String key = name.toLowerCase(Locale.ROOT);
      if (key.startsWith(PREFIX)) {
        own.put(key.substring(PREFIX.length()), value);
      } else {
        reading.put(name, value);
      }
    });
    path = reading.remove("path");
    format = own.getOrDefault("format", "").toLowerCase(Locale.ROOT);
    check();
  }

  private void check() {
    if (!FORMATS.contains(format)) {
      throw Refusal.of("CF_UNSUPPORTED_FORMAT",
          "cloudFiles.format is '" + format + "', and must be one of " + new TreeSet<>(FORMATS) + ".");
    }
    for (String option : own.keySet()) {
      if (!IDLE.contains(option)) {
        throw refusal("The option cloudFiles." + option + " is not supported.");
      }
    }
    if ("true".equalsIgnoreCase(own.get("allowoverwrites"))
        || "false".equalsIgnoreCase(own.get("includeexistingfiles"))) {
      throw refusal("cloudFiles.allowOverwrites = true and cloudFiles.includeExistingFiles = false"
          + " are not supported: each file is read once.");
    }
    boolean asked = reading.containsKey(RescuedFormat.OPTION) || mode().equals("rescue");
    if (asked && RescuedFormat.of(format) == null) {
      throw RescuedFormat.refusal(format);
    }
  }

  /** Returns an error for what is not supported. */
  public static RuntimeException refusal(String sentence) {
    return error("UNSUPPORTED_FEATURE", sentence);
  }

  /** Returns an error of a stream that runs, where nothing but unchecked ones may be thrown. */
  static RuntimeException error(String condition, String sentence) {
    return new IllegalStateException("[" + condition + "] " + sentence);
  }

  String mode() {
    return own.getOrDefault("schemaevolutionmode", "addNewColumns").toLowerCase(Locale.ROOT);
  }

  /** Returns the columns of the stream: those given, or those known and found, and a rescued one. */
  public StructType schema(StructType given) {
    String column = rescued(given);
    if (given != null) {
      return arranged(column == null ? given : RescuedFormat.with(given, column), given);
    }
    return format.equals("text") || format.equals("binaryfile")
        ? found()
        : arranged(RescuedFormat.with(schemas().grown(this::inferred), column()), null);
  }

  /** Returns the columns in the order in which Spark reads them: last those of the folders. */
  private StructType arranged(StructType schema, StructType given) {
    List<String> folders = partitions(given);
    List<StructField> fields = new ArrayList<>(List.of(schema.fields()));
    fields.sort(Comparator.comparing(field -> folders.indexOf(field.name())));
    return new StructType(fields.toArray(StructField[]::new));
  }

  private String column() {
    return reading.getOrDefault(RescuedFormat.OPTION, RESCUED);
  }

  /** Returns the column that holds what does not fit, or null where nothing is rescued. */
  private String rescued(StructType given) {
    boolean always = given == null ? !mode().equals("none") : mode().equals("rescue");
    boolean asked = always || reading.containsKey(RescuedFormat.OPTION);
    return asked && RescuedFormat.of(format) != null ? column() : null;
  }

  /** Returns the stream, whose schema must be that which was told before. */
  public Source source(StructType given, String metadata) {
    StructType schema = schema(given);
    Map<String, String> options = new TreeMap<>(reading);
    options.put("path", path); // below it lie the folders of partitions
    options.put("maxFileAge", "36500d"); // Spark would leave a late file of an old date out
    options.put("maxFilesPerTrigger", own.getOrDefault("maxfilespertrigger", "1000"));
    if (own.containsKey("maxbytespertrigger")) {
      options.remove("maxFilesPerTrigger");
      options.put("maxBytesPerTrigger", own.get("maxbytespertrigger"));
    }
    String rescued = rescued(given);
    if (rescued != null) {
      options.put(RescuedFormat.OPTION, rescued);
    } else if (given == null && TEXTS.contains(format)) {
      options.putIfAbsent("mode", "FAILFAST");
    }
    String reader = rescued == null ? format : RescuedFormat.of(format);
    return new AutoLoaderSource(
        this, reader, schema, partitions(given), metadata, options, given == null);
  }

  SparkSession session() {
    return session;
  }

  String path() {
    return path;
  }

  private AutoLoaderSchemas schemas() {
    String place = own.get("schemalocation");
    if (place == null) {
      throw Refusal.of("CF_MISSING_SCHEMA_LOCATION", "A schema location is needed to infer the"
          + " schema of " + path + ": set cloudFiles.schemaLocation, or give a schema.");
    }
    return new AutoLoaderSchemas(session, place, mode());
  }

  /** Fails where files have columns that the stream has not, as its mode says. */
  void look(StructType running) {
    if (AutoLoaderSchemas.stays(mode())) {
      return;
    }
    StructType grown = schemas().grown(this::inferred);
    List<String> fresh = new ArrayList<>();
    for (String name : grown.fieldNames()) {
      boolean known = List.of(running.fieldNames()).stream().anyMatch(name::equalsIgnoreCase);
      if (!known) {
        fresh.add(name);
      }
    }
    if (!fresh.isEmpty()) {
      throw AutoLoaderSchemas.unknown(fresh);
    }
  }

  /** Returns the columns of all files that are there, with the hints on their types. */
  private StructType inferred() {
    StructType columns = new StructType();
    for (StructField field : found().fields()) {
      columns = columns.add(typed(field));
    }
    return SchemaHints.over(columns, own.get("schemahints"));
  }

  private StructField typed(StructField field) {
    boolean text = TEXTS.contains(format) && !"true".equalsIgnoreCase(own.get("infercolumntypes"))
        && !partitions(null).contains(field.name());
    return text ? new StructField(field.name(), DataTypes.StringType, true, field.metadata()) : field;
  }

  private StructType found() {
    return files(null).schema();
  }

  private List<String> partitions(StructType given) {
    if (files(given).queryExecution().analyzed() instanceof LogicalRelation relation
        && relation.relation() instanceof HadoopFsRelation read) {
      return List.of(read.partitionSchema().fieldNames());
    }
    return List.of();
  }

  private org.apache.spark.sql.classic.Dataset<Row> files(StructType given) {
    Map<String, String> options = new TreeMap<>(reading);
    options.remove(RescuedFormat.OPTION); // what is found is what the files have
    if (format.equals("csv") && "true".equalsIgnoreCase(own.get("infercolumntypes"))) {
      options.putIfAbsent("inferSchema", "true");
    }
    return AnalysisContext$.MODULE$.withNewAnalysisContext(() -> {
      try {
        var reader = session.read().format(format).options(options);
        Dataset<Row> rows = (given == null ? reader : reader.schema(given)).load(path);
        return (org.apache.spark.sql.classic.Dataset<Row>) rows;
      } catch (Exception e) {
        boolean empty = e instanceof AnalysisException analysis
            && List.of("UNABLE_TO_INFER_SCHEMA", "PATH_NOT_FOUND").contains(analysis.getCondition());
        throw empty
            ? Refusal.of("CF_EMPTY_DIR_FOR_SCHEMA_INFERENCE", "The schema of " + path
                + " cannot be inferred while there are no files; give a schema, or wait for a file.")
            : Lake.sneak(e);
      }
    });
  }
}
